import { afterAll, beforeAll, expect, test } from 'vitest';
import { findMoment } from '../../../activities/recovery/find-moment.ts';
import { removalsIn } from '../../../activities/recovery/log-moments.ts';
import { failureOf } from '../../control/support.ts';
import { inDatabase, startPair, type Pair } from '../support.ts';
import { recoveryBench, values } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
  await inDatabase(pair.target, 'postgres', 'ALTER SYSTEM SET track_commit_timestamp = on');
  await pair.target.restart();
}, 60_000);
afterAll(async () => await pair.stop());

const table = { schema: 'public', name: 'or"ders' };
const schema = 'CREATE TABLE "or""ders" (id int PRIMARY KEY); CREATE TABLE beats (id serial, at timestamptz DEFAULT clock_timestamp())';
const iso = (moment: string): string => `to_char(${moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const commitOf = (id: number): string => `SELECT ${iso('pg_xact_commit_timestamp(xmin)')} FROM beats WHERE id = ${id}`;

test.each([
  ['a DROP, by the log', 'DROP TABLE "or""ders"', 'log'],
  ['a TRUNCATE, by the log', 'TRUNCATE "or""ders", beats_2', 'log'],
  ['a DELETE, by the log', 'DELETE FROM ONLY "public"."or""ders"', 'log'],
  ['a TRUNCATE, by the commit times', 'TRUNCATE "or""ders"', 'commit-timestamps'],
] as const)('%s: the last commit before it, and none after', async (_, statement, by) => {
  const bench = await recoveryBench(pair, { schema: `${schema}; CREATE TABLE beats_2 (id int)` });
  for (let index = 0; index < 20; index += 1) await bench.live.query('INSERT INTO beats DEFAULT VALUES');
  const started = (await pair.target.log()).length;
  await bench.live.query(statement);
  for (let index = 0; index < 5; index += 1) await bench.live.query('INSERT INTO beats DEFAULT VALUES');
  const log = (await pair.target.log()).slice(started);
  const [removal] = by === 'log' ? removalsIn(log, table) : [];
  const found = await findMoment(bench.servers, { database: 'orders', table, ...(removal ? { removal } : { truncated: true }) });
  const [last] = await values(bench.live, commitOf(20));
  const [next] = await values(bench.live, commitOf(21));
  expect(found.by).toBe(by);
  // A log's time ends at the millisecond, so a commit of the same one may be passed over.
  if (by === 'log') expect(Date.parse(String(last)) - Date.parse(found.moment)).toBeLessThanOrEqual(1);
  else expect(found.moment).toBe(last);
  expect(found.moment <= String(last)).toBe(true);
  expect(String(next) > found.moment).toBe(true);
  expect(Date.parse(found.wholeSecond)).toBeLessThanOrEqual(Date.parse(found.removedAt));
  expect(found.wholeSecond).toMatch(/:\d\dZ$/);
  expect(found.counted).toBe('commits');
  expect(found.perSecond).toBeGreaterThanOrEqual(2);
  await bench.end();
});

test('without the time of commits a column counts the rows of a second; without anything it is refused', async () => {
  const bench = await recoveryBench(pair, { schema });
  const { host, port } = pair.source;
  const elsewhere: typeof bench.servers = {
    ...bench.servers,
    open: async (database, opening) =>
      await bench.servers.open(database, { ...opening, server: { host, port, secret: { env: 'RESTORED' } } }),
  };
  await bench.restored.query(
    `INSERT INTO beats (at) SELECT '2026-01-01Z'::timestamptz + i * interval '100 ms' FROM generate_series(1, 600) i`,
  );
  const newestRow = { schema: 'public', table: 'beats', column: 'at' };
  const removal = { at: '2026-01-01T00:00:30Z', verb: 'DROP', statement: 'DROP TABLE orders' } as const;
  const search = { database: 'orders', table, removal, newestRow };
  expect(await findMoment(elsewhere, search)).toEqual({
    moment: '2026-01-01T00:00:29.999999Z',
    wholeSecond: '2026-01-01T00:00:29Z',
    removedAt: '2026-01-01T00:00:30Z',
    by: 'log',
    statement: 'DROP TABLE orders',
    lastCommit: null,
    perSecond: 10.1,
    counted: 'rows',
  });
  await failureOf('plan-impossible', findMoment(elsewhere, { database: 'orders', table, truncated: true }));
  await bench.end();
});

const at = '2026-11-21 10:00:00.123';
test.each([
  [`${at} UTC [1] app u@d LOG:  statement: DROP TABLE public.orders;`, '2026-11-21T10:00:00.123Z'],
  [`${at} +02 [1] LOG:  statement: drop table ORDERS`, '2026-11-21T08:00:00.123Z'],
  [`${at} -03:30 LOG:  execute <unnamed>: TRUNCATE TABLE\n\t"public"."orders" CASCADE`, '2026-11-21T13:30:00.123Z'],
  [`2026-11-21 10:00:00 GMT [7]: LOG:  duration: 3.1 ms  statement: DELETE FROM ONLY orders WHERE true`, '2026-11-21T10:00:00Z'],
  [`${at} UTC LOG:  statement: DROP SCHEMA public CASCADE`, '2026-11-21T10:00:00.123Z'],
  [`${at} UTC LOG:  statement: DROP TABLE old_orders`, undefined],
  [`${at} UTC LOG:  statement: DROP TABLE "Orders"`, undefined],
  [`${at} UTC LOG:  statement: DROP TABLE archive.orders`, undefined],
  [`${at} UTC LOG:  statement: SELECT 1 -- drop table orders`, undefined],
  [`${at} CET LOG:  statement: DROP TABLE orders`, undefined],
  [`${at} UTC ERROR:  table "orders" does not exist`, undefined],
  [`no time LOG:  statement: DROP TABLE orders`, undefined],
])('%s', (text, expected) => {
  expect(
    removalsIn(`${at} UTC LOG:  statement: SELECT 1\n${text}\n${at} UTC LOG:  done`, { schema: 'public', name: 'orders' })[0]?.at,
  ).toBe(expected);
});

test('a statement that failed has removed nothing; the one before it did', () => {
  const drop = 'DROP TABLE parcels';
  const log = (session: string, second: number, text: string): string =>
    `2026-11-21 10:00:0${second} UTC:${session}:${(count += 1)}:${text}`;
  const [own, other] = ['10.0.0.1(7):ada@shop:[7]', '10.0.0.1(8):bob@shop:[8]'];
  let count = 0;
  const lines = [
    log(own, 1, `LOG:  statement: ${drop}`),
    log(other, 2, `LOG:  statement: DROP TABLE\n\tparcels`),
    log(other, 2, 'ERROR:  table "parcels" does not exist'),
    log(other, 2, 'STATEMENT:  DROP TABLE\n\tparcels'),
    log(own, 3, 'ERROR:  division by zero'),
    log(own, 3, 'STATEMENT:  SELECT 1/0'),
  ];
  expect(removalsIn(lines.join('\n'), { schema: 'public', name: 'parcels' })).toEqual([
    { at: '2026-11-21T10:00:01Z', verb: 'DROP', statement: drop },
  ]);
});
