import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import { copyAside } from '../../../activities/recovery/commands.ts';
import { compareAfter } from '../../../activities/recovery/compare-after.ts';
import type { Measured } from '../../../activities/recovery/contract.ts';
import { takeCopyFacts } from '../../../activities/recovery/take-copy-facts.ts';
import { failureOf } from '../../control/support.ts';
import { startPair, type Pair } from '../support.ts';
import { aside, recoveryBench, values } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
}, 60_000);
afterAll(async () => await pair.stop());

const measured: Measured = { target: null, recoveredTo: null, secondsAvailable: null, secondsHydrated: null, verification: {} };
const orders = { schema: 'public', name: 'orders' };
/** A database with settings of its own, and what hides behind its search_path. */
const schema = `CREATE EXTENSION citext; CREATE SCHEMA shop;
  DO $$BEGIN
    EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), 'Europe/Berlin');
    EXECUTE format('ALTER DATABASE %I SET search_path = shop, public', current_database());
    EXECUTE format('ALTER DATABASE %I SET datestyle = %L', current_database(), 'SQL, DMY');
  END$$;
  CREATE FUNCTION shop.is_open(id int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT id % 2 = 1';
  CREATE FUNCTION shop.count() RETURNS text LANGUAGE sql AS $$SELECT 'hostile'$$;
  CREATE TABLE shop.clock (since timestamptz); INSERT INTO shop.clock VALUES ('2026-11-21 18:30Z');
  CREATE FUNCTION shop.lately() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT since FROM shop.clock';
  CREATE TABLE orders (id int PRIMARY KEY, email citext, placed_at timestamptz, took interval, what tstzrange);
  INSERT INTO orders SELECT i, CASE WHEN i <= 4 THEN 'ann@x.com' ELSE 'bob@x.com' END, '2026-11-21 17:00Z'::timestamptz + (i - 1) * interval '15 min',
    '1 mon -3 days', tstzrange('2026-11-01Z', '2026-11-02Z') FROM generate_series(1, 8) i;`;

test.each([
  ['an operator of an extension', `email = 'Ann@x.com'`, [1, 2, 3, 4]],
  ['a moment without a zone', `placed_at > '2026-11-21 18:00'`, [2, 3, 4, 5, 6, 7, 8]],
  ['a day', `placed_at::date > '20/11/2026' AND placed_at::time < '18:20'`, [1, 2]],
  ['a function of another schema', 'is_open(orders.id)', [1, 3, 5, 7]],
])('%s means what it means in a session of the database', async (_, where, ids) => {
  const bench = await recoveryBench(pair, { schema, since: 'DELETE FROM orders' });
  const { copying, journal, told } = await aside(bench, { ...orders, where });
  expect(told.rows).toBe(ids.length);
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack: ids.length });
  expect(await values(bench.live, 'SELECT id FROM orders ORDER BY 1')).toEqual(ids);
  expect(await values(bench.live, 'SELECT DISTINCT ROW(o.took, o.what)::text FROM orders o')).toEqual(
    await values(bench.restored, 'SELECT DISTINCT ROW(o.took, o.what)::text FROM orders o'),
  );
  expect(await compareAfter(copying, measured, journal.attempt('compare'))).toMatchObject({ rowsBack: ids.length, lostAfterTarget: 0 });
  const texts = copyAside(copying.recovery, copying.facts).flatMap((one) => (one.on === 'restored' ? [one.text] : []));
  expect(texts.join('\n')).toContain(`'shop, public'`);
  expect(texts.join('\n')).toContain(`'Europe/Berlin'`);
  await bench.end();
});

test('what fits is counted when the plan is made; a table that is too large to be counted is told', async () => {
  const bench = await recoveryBench(pair, { schema, since: 'DELETE FROM orders' });
  const chosen = [{ ...orders, where: `email = 'ANN@x.com'` }];
  const seen = await takeCopyFacts(bench.servers, bench.recovery, chosen);
  expect(seen.observed.fitting).toEqual([{ table: '"public"."orders"', rows: 4 }]);
  const slow = [{ ...orders, where: 'pg_sleep(60) IS NOT NULL' }];
  const long = await takeCopyFacts(bench.servers, bench.recovery, slow, { countMs: 1_000 });
  expect(long.observed.fitting).toEqual([{ table: '"public"."orders"', rows: null }]);
  await bench.end();
});

test.each([
  ['no such column', 'nowhere = 1'],
  ['no such function', 'nothing(id)'],
  ['a value that is none', `placed_at > 'soon'`],
  ['a row that it fails for', '1 / (id - 3) > 0'],
  ['something that writes', `set_config('transaction_read_only', 'off', true) IS NULL OR nextval('public.numbers') > 0`],
])('%s is told before anybody agrees', async (_, where) => {
  const bench = await recoveryBench(pair, { schema: `${schema} CREATE SEQUENCE numbers`, since: 'DELETE FROM orders' });
  const failure = await failureOf('input-invalid', bench.choose({ ...orders, where }));
  expect(failure.message).toContain('the condition for "public"."orders"');
  expect(failure.facts['table']).toBe('"public"."orders"');
  await bench.end();
});

test.each([`placed_at > now() - interval '2 h'`, 'placed_at::date = CURRENT_DATE', 'random() < 0.5', 'placed_at > clock_timestamp ()'])(
  '%s means something else each time, and is refused',
  async (where) => {
    const bench = await recoveryBench(pair, { schema, since: 'DELETE FROM orders' });
    const failure = await failureOf('input-invalid', bench.choose({ ...orders, where }));
    expect(failure.message).toContain('another time it is read');
    await bench.end();
  },
);

test('what was copied aside is held against what came back, though the condition would fit others by now', async () => {
  const bench = await recoveryBench(pair, { schema, since: 'DELETE FROM orders' });
  const { copying, journal } = await aside(bench, { ...orders, where: 'placed_at >= lately()' });
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack: 2 });
  await bench.restored.query(`UPDATE shop.clock SET since = since + interval '2 h'`);
  expect(await compareAfter(copying, measured, journal.attempt('compare'))).toMatchObject({ rowsBack: 2, lostAfterTarget: 0 });
  await bench.end();
});

test('a column whose text depends on the search_path is no plan with a condition', async () => {
  const bench = await recoveryBench(pair, { schema: `${schema} CREATE TABLE known (id int PRIMARY KEY, what regclass)` });
  const failure = await failureOf('plan-impossible', bench.choose({ schema: 'public', name: 'known', where: 'id = 1' }));
  expect(failure.message).toContain('"what"');
  await bench.choose({ schema: 'public', name: 'known' });
  await bench.end();
});
