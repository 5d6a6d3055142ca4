import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { redact } from '../../domain/redaction.ts';
import { chancesOf } from './secret-forms.ts';

/** Every failure shows it; put it here to see the same texts again. */
const seed = randomInt(2 ** 31);
const { oneOf, some } = chancesOf(seed);

/** Everything that means something to the redaction, and what looks like the beginning of it. */
const pieces = [
  ...['a', 'A', '.', '-', '+', '_', '/', '0', '443', 'é', ' ', '\n', '\t', ',', ';', '=', ':', ': ', '@', '%', '&', '?', '#', '*', '…'],
  ...["'", '"', '`', "''", '""', '\\', "\\'", '\\"', '\\\\"', '$', '$$', '$a$', '(', ')', '[', ']', '{', '}', '<', '>', '</'],
  ...[
    'password',
    'PASSWORD ',
    'passwd=',
    'pass',
    "password='",
    'password="',
    'password=$$',
    'password=$a$',
    "E'",
    'pwd:',
    'secret',
    'token',
  ],
  ...['token=', '?token=', '&token=', 'api_key', 'access_key=', 'name', 'value', '<token>', '--password ', '-W ', '-u a:', "'token', "],
  ...['http.', 'a://', 'a://b:', 'a://b:c@', '%3A%2F%2F', '%253A%252F%252F', '%3A', '%40', 'a:b@c', 'a/b@', 'db:5432:a:b:', '*:*:', 'tcp('],
  ...['authorization', 'Authorization: ', 'bearer ', 'basic ', 'Token ', 'cookie: ', 'sh_', 'sh_0123456789ab_', 'SCRAM-SHA-256$', 'md5'],
  ...[
    'AKIA',
    'IQoJb3JpZ2lu',
    'eyJ',
    'xoxb-',
    'ghp_',
    's.',
    'LS0tLS1CRUdJTi',
    '-----',
    '-----BEGIN PRIVATE KEY-----',
    '-----END PRIVATE KEY-----',
  ],
] as [string, ...string[]]; // not empty

/** The texts that the defect was found with, then any. */
const found = ['a.', 'a-', 'a+', 'http.', 'a://', '%3A%2F%2Fa%3A', "password='", 'password=\\\\"', '\'"}', '\\"'];
const pumps = [...found, ...Array.from({ length: 120 }, () => some(1, 4, () => oneOf(pieces)))];

function milliseconds(text: string, atMost: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < atMost; repetition += 1) {
    const begin = performance.now();
    redact(text);
    least = Math.min(least, performance.now() - begin);
  }
  return least;
}

/** The least ratio of several measurements: other work on the machine only makes single ones longer. */
function growth(text: (length: number) => string, length: number): number {
  const [once, twice] = [text(length), text(2 * length)];
  let [less, more] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 30; round += 1) {
    less = Math.min(less, milliseconds(once, 2));
    more = Math.min(more, milliseconds(twice, 2));
    if (more <= 2.5 * less) break;
  }
  return more / less;
}

test('twice the text takes at most two and a half times as long, whatever is repeated in it', { timeout: 300_000 }, () => {
  const worse: string[] = [];
  for (const pump of pumps) {
    const [head, tail] = [some(0, 2, () => oneOf(pieces)), some(0, 2, () => oneOf(pieces))];
    const text = (length: number): string => head + pump.repeat(Math.ceil(length / pump.length)) + tail;
    // The short one shows what grows fast before it would take minutes.
    for (const length of [4_000, 24_000]) {
      const ratio = growth(text, length);
      if (ratio > 2.5) worse.push(`${JSON.stringify([head, pump, tail])} at ${length}: × ${ratio.toFixed(1)}`);
      if (ratio > 2.5) break;
    }
    if (worse.length >= 3) break;
  }
  expect(worse, `seed ${seed}`).toEqual([]);
});

test('no order of such pieces takes long', () => {
  for (let round = 0; round < 40; round += 1) {
    const text = some(20_000, 20_000, () => oneOf(pieces));
    expect(milliseconds(text, 3), `seed ${seed}, round ${round}`).toBeLessThan(200);
  }
});
