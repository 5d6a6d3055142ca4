import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { redact, redactExcerpt } from '../../domain/redaction.ts';
import { chancesOf, secretForms } from './secret-forms.ts';

/** Every failure shows it; put it here to see the same texts again. */
const seed = randomInt(2 ** 31);
const rounds = 4_000;
const chances = chancesOf(seed);
const { oneOf, some, upTo } = chances;
const { core, forms, wraps } = secretForms(chances);

const names = (of: object): [string, ...string[]] => Object.keys(of) as [string, ...string[]]; // not empty

test('no form of a secret passes, whatever it stands in', () => {
  const passed: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const heart = core();
    const form = names(forms)[round % names(forms).length] ?? '';
    const [inner, outer] = [oneOf(names(wraps)), oneOf(names(wraps))];
    const text = wraps[outer]?.(wraps[inner]?.(forms[form]?.(heart) ?? '') ?? '') ?? '';
    if (redact(text).includes(heart)) passed.push(`${form} in ${inner} in ${outer}: ${text} → ${redact(text)}`);
  }
  expect(passed.slice(0, 5), `seed ${seed}, ${passed.length} of ${rounds}`).toEqual([]);
});

test('a cut through a secret shows no part of it', () => {
  const passed: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const heart = core();
    const form = names(forms)[round % names(forms).length] ?? '';
    const text = `${'Some words. '.repeat(upTo(3))}${wraps[oneOf(names(wraps))]?.(forms[form]?.(heart) ?? '') ?? ''}`;
    const cut = text.indexOf(heart) + 4 + upTo(heart.length - 4);
    const shown = redactExcerpt(`${text} ${'more '.repeat(9)}`, cut);
    if (shown.includes(heart.slice(0, 4)) || shown.length > cut + 1) passed.push(`${form}: ${text.slice(0, cut)} → ${shown}`);
  }
  expect(passed.slice(0, 5), `seed ${seed}, ${passed.length} of ${rounds}`).toEqual([]);
});

const words = [
  ...['password', 'passwords', 'token', 'tokens', 'secret', 'secretary', 'bearer', 'basic', 'authentication', 'authorization', 'failed'],
  ...['for', 'user', '"app"', 'the', 'of', 'was', 'rotated', 'connection', 'statement', 'relation', '"public"."orders"', 'wrong', 'it’s'],
  ...[
    'host=db',
    'port=5432',
    'sslmode=verify-full',
    'dbname=orders',
    'user=app',
    'orders:',
    '12:30',
    'ada@example.com',
    '(SQLSTATE 28P01)',
  ],
  ...['https://docs.example.com:8420/errors#login-refused', 'postgres://app@db:5432/orders', 'http://[::1]:80/@x', "'orders'", '$1', '$$'],
  ...['OPS-1234', '2026-11-21T03:00:00Z', '0/1A2B3C4D', 'sh_orders', 'sh_orders_old', 'SCRAM-SHA-256', '/etc/steadyhand/secrets/orders'],
] as [string, ...string[]]; // not empty

test('ordinary words stay as they are', () => {
  const struck: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const text = some(1, 14, () => `${oneOf(words)}${oneOf([' ', ' ', ' ', ', ', '; ', '. '])}`).trim();
    // In quotes right after "password" it is one, as SQL has it; and what has digits after "bearer" may be a token.
    if (/\bpassword ['"$]|\b(?:bearer|basic) \S*[\d=]/.test(text)) continue;
    if (redact(text) !== text) struck.push(`${text} → ${redact(text)}`);
  }
  expect(struck.slice(0, 5), `seed ${seed}, ${struck.length} of ${rounds}`).toEqual([]);
});
