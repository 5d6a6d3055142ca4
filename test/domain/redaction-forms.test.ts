import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { conninfo } from '../../activities/replication/conninfo.ts';
import { quoteLiteral } from '../../domain/command.ts';
import { redact } from '../../domain/redaction.ts';

/** Every failure says it; put it here to see the same texts again. */
const seed = randomInt(2 ** 31);
const rounds = 4_000;

/** mulberry32: the same numbers for the same seed. */
function chanceOf(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const chance = chanceOf(seed);
const upTo = (most: number): number => Math.floor(chance() * most);
function oneOf<Item>(list: readonly [Item, ...Item[]]): Item {
  return list[upTo(list.length)] ?? list[0];
}
const some = (least: number, most: number, make: () => string): string =>
  Array.from({ length: least + upTo(most - least + 1) }, make).join('');

const core = (): string => `k${some(10, 10, () => oneOf([...'0123456789abcdef'] as [string, ...string[]]))}z`; // not empty
const around = [...`'"\\ @:/%$,;&{}()[]=#?!|~^é`] as [string, ...string[]]; // not empty
const glued = around.filter((one) => one !== ' ') as [string, ...string[]]; // not empty

/** A password around its core: all of it may be struck out, the core must be. */
const password = (heart: string, of: readonly [string, ...string[]] = around): string =>
  some(0, 4, () => oneOf(of)) + heart + some(0, 4, () => oneOf(of));

const coded = (text: string): string => encodeURIComponent(text).replaceAll("'", '%27');
const inSql = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const inWord = (text: string): string => text.replaceAll(/['\\ ]/g, (one) => `\\${one}`);

/** How a secret stands in a text, each as the program that writes it has it. */
const forms: Readonly<Record<string, (heart: string) => string>> = {
  'an address': (heart) =>
    `${oneOf(['postgres', 'postgresql', 'amqp+ssl', 'https'])}://app:${coded(password(heart))}@db.example.com:5432/orders?sslmode=require`,
  'an address that nobody encoded': (heart) => `postgres://app:${password(heart, glued)}@db/orders`,
  'an address without a user': (heart) => `postgres://:${coded(password(heart))}@db/orders`,
  'an address of several hosts': (heart) => `postgres://app:${coded(password(heart))}@one:5432,two:5432/orders`,
  'a parameter of an address': (heart) => `postgres://db/orders?user=app&password=${coded(password(heart))}&sslmode=require`,
  'an address in an address': (heart) => coded(`postgres://app:${coded(password(heart))}@db/orders`),
  'a coded parameter': (heart) => coded(`password=${password(heart)}`),
  'libpq’s words': (heart) =>
    conninfo({ host: 'db', port: 5432, dbname: 'orders', user: 'u', sslmode: 'require', applicationName: 'a', password: password(heart) }),
  'libpq’s words, one without quotes': (heart) => `host=db password=${inWord(password(heart).replace(/^['"]+/, ''))} dbname=orders`,
  'words with blanks': (heart) =>
    `host = db password = '${password(heart).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}' dbname = orders`,
  SQL: (heart) => `ALTER ROLE app PASSWORD ${inSql(password(heart))} VALID UNTIL 'infinity'`,
  'SQL with escapes': (heart) => `CREATE ROLE app ENCRYPTED PASSWORD ${quoteLiteral(password(heart))} LOGIN`,
  'SQL with dollars': (heart) => `ALTER ROLE app PASSWORD $q$${password(heart)}$q$`,
  'a user mapping': (heart) => `CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'app', password ${inSql(password(heart))})`,
  JSON: (heart) => JSON.stringify({ user: 'app', password: password(heart), port: 5432 }),
  'an object as it is printed': (heart) => inspect({ user: 'app', password: password(heart) }),
  'the environment': (heart) => `PGPASSWORD=${password(heart, glued).replace(/^['"\\]+/, '')} psql`,
  'a setting': (heart) => `db_${oneOf(['password', 'secret', 'token', 'api_key'])}: ${oneOf(['', '"'])}${heart}`,
  'a header': (heart) => `Authorization: ${oneOf(['Bearer', 'Basic', 'bearer'])} ${heart}`,
  'a token of ours': (heart) => `the token sh_0123456789ab_${heart} is unknown`,
  'a verifier': (heart) => `SCRAM-SHA-256$4096:c2FsdA==$${heart}:c2VydmVy`,
};

/** What a text may stand in, on its way to people. */
const wraps: Readonly<Record<string, (text: string) => string>> = {
  itself: (text) => text,
  'a sentence': (text) => `could not connect (${text}); try again`,
  'an SQL literal': (text) => `CREATE SUBSCRIPTION s CONNECTION ${inSql(text)} PUBLICATION p`,
  'an SQL literal with escapes': (text) => `SELECT dblink_connect(${quoteLiteral(text)}), 'other'`,
  JSON: (text) => JSON.stringify({ level: 'error', message: text, at: 'x' }),
  'a stack': (text) => new Error(text).stack ?? '',
  'a cause': (text) => inspect(new Error('the step failed', { cause: new TypeError('below', { cause: new Error(text) }) })),
  'an AggregateError': (text) => inspect(new AggregateError([new Error('one'), new Error(text)], 'all addresses failed')),
  'a driver’s error': (text) => inspect(Object.assign(new Error(`syntax error near ${text}`), { detail: text, internalQuery: text })),
};

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
    if (/\bpassword ['$]|\b(?:bearer|basic) \S*[\d=]/.test(text)) continue;
    if (redact(text) !== text) struck.push(`${text} → ${redact(text)}`);
  }
  expect(struck.slice(0, 5), `seed ${seed}, ${struck.length} of ${rounds}`).toEqual([]);
});

test('a long text takes no long time', () => {
  const before = performance.now();
  for (const text of ["password='", "''", 'a://b:', 'password', '\\"', 'password=\\\\"', '\'"}', '%3A%2F%2Fa%3A'].map((one) =>
    one.repeat(4_000),
  )) {
    redact(text);
  }
  expect(performance.now() - before).toBeLessThan(2_000);
});
