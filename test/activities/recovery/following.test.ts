import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import { bringBack as planned, notes } from '../../../activities/recovery/commands.ts';
import { compareAfter } from '../../../activities/recovery/compare-after.ts';
import type { Measured } from '../../../activities/recovery/contract.ts';
import { removeAside } from '../../../activities/recovery/copy-aside.ts';
import { takeOut } from '../../../activities/recovery/take-out.ts';
import { loggedStatements, startPair, unplanned, world, type Pair } from '../support.ts';
import { aside, recoveryBench, values } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
}, 60_000);
afterAll(async () => await pair.stop());

const measured: Measured = { target: null, recoveredTo: null, secondsAvailable: null, secondsHydrated: null, verification: {} };
const named = (...names: string[]): { schema: string; name: string }[] => names.map((name) => ({ schema: 'public', name }));

/** A hundred orders with two lines each, the second with a remark. */
const schema = `CREATE TABLE orders (id serial PRIMARY KEY, code text UNIQUE, note text);
  CREATE TABLE order_lines ("order" int REFERENCES orders, line int, what text, PRIMARY KEY ("order", line));
  CREATE TABLE remarks (id int PRIMARY KEY, "order" int, line int, FOREIGN KEY ("order", line) REFERENCES order_lines, what text);
  INSERT INTO orders (code, note) SELECT 'old ' || i, 'old' FROM generate_series(1, 100) i;
  INSERT INTO order_lines SELECT i, n, 'old' FROM generate_series(1, 100) i, generate_series(1, 2) n;
  INSERT INTO remarks SELECT i, i, 2, 'old' FROM generate_series(1, 100) i`;
/** Numbers begin anew: 50 other orders with one line each, and one that took a code of an old one. */
const since = `TRUNCATE orders, order_lines, remarks RESTART IDENTITY;
  INSERT INTO orders (code, note) SELECT 'new ' || i, 'new' FROM generate_series(1, 50) i;
  INSERT INTO order_lines SELECT i, 1, 'new' FROM generate_series(1, 50) i;
  INSERT INTO orders VALUES (1000, 'old 60', 'new')`;

test('rows whose parent was left out since another one has its key stay out too, and theirs; each is told', async () => {
  const bench = await recoveryBench(pair, { schema, since });
  const before = await world(bench.live);
  const statements = await loggedStatements(pair.target, 'steadyhand bring-back');
  const { copying, journal } = await aside(bench, ...named('orders', 'order_lines', 'remarks'));
  const back = await bringBack(copying, journal.attempt('bring-back'));
  // 50 orders differ and one is taken. Of the lines 50 have a key that is taken and 51 + 1 follow an order; so do their remarks.
  expect(back).toMatchObject({ rowsBack: 49 + 98 + 49, leftOut: { same: 0, differing: 100, taken: 1, following: 52 + 51 } });
  expect(back.following.length).toBe(20);
  expect(back.following[0]).toBe('"public"."order_lines" (1, 2)');
  expect(
    await values(bench.live, `SELECT count(*)::int FROM order_lines l JOIN orders o ON o.id = l."order" WHERE o.note <> l.what`),
  ).toEqual([0]);
  expect(await values(bench.live, 'SELECT min("order") FROM remarks')).toEqual([51]);
  expect(await values(bench.live, 'SELECT count(*)::int FROM order_lines WHERE "order" = 60')).toEqual([0]);
  expect(await bringBack(copying, journal.attempt('bring-back'))).toEqual(back);
  expect(await compareAfter(copying, measured, journal.attempt('compare'))).toMatchObject({ rowsBack: 196, lostAfterTarget: 0 });
  const mine = (await loggedStatements(pair.target, 'steadyhand bring-back')).slice(statements.length);
  expect(unplanned(mine, planned(copying.recovery, copying.facts))).toEqual([]);
  await takeOut(copying, journal.attempt('bring-back', { undo: true }));
  await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
  expect(await world(bench.live)).toEqual(before);
  await bench.end();
});

test('a parent that is there as it was keeps its rows; without the parents nothing is held against them', async () => {
  const lines = 'DELETE FROM remarks; DELETE FROM order_lines;';
  const bench = await recoveryBench(pair, { schema, since: `${lines} UPDATE orders SET note = 'paid' WHERE id = 7` });
  const both = await aside(bench, ...named('orders', 'order_lines'));
  expect(await bringBack(both.copying, both.journal.attempt('bring-back'))).toMatchObject({
    rowsBack: 198,
    leftOut: { same: 99, differing: 1, taken: 0, following: 2 },
    following: ['"public"."order_lines" (7, 1)', '"public"."order_lines" (7, 2)'],
  });
  const alone = await aside(bench, ...named('order_lines'));
  expect(await bringBack(alone.copying, alone.journal.attempt('bring-back'))).toMatchObject({ rowsBack: 2, leftOut: { following: 0 } });
  await bench.end();
});

test('in a tree and in a circle of tables, and with a partitioned parent, too', async () => {
  const tree = `CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes, note text, what json);
    INSERT INTO nodes SELECT i, nullif(i / 2, 0), 'old', '{}' FROM generate_series(1, 15) i;
    CREATE TABLE a (id int PRIMARY KEY, b int, note text); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, note text);
    INSERT INTO a SELECT i, i, 'old' FROM generate_series(1, 10) i; INSERT INTO b SELECT i, i, 'old' FROM generate_series(1, 10) i;
    ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
    CREATE TABLE days (day int PRIMARY KEY, note text) PARTITION BY RANGE (day);
    CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (1) TO (100);
    CREATE TABLE hours (id int PRIMARY KEY, day int REFERENCES days);
    INSERT INTO days SELECT i, 'old' FROM generate_series(1, 9) i; INSERT INTO hours SELECT i, i FROM generate_series(1, 9) i`;
  const bench = await recoveryBench(pair, {
    schema: tree,
    since: `TRUNCATE nodes, a, b, days, hours; INSERT INTO nodes VALUES (3, NULL, 'new', '{}'), (1, NULL, 'old', '{}'); INSERT INTO b VALUES (4, NULL, 'new');
      INSERT INTO days VALUES (2, 'new')`,
  });
  const { copying, journal } = await aside(bench, ...named('nodes', 'a', 'b', 'days', 'hours'));
  const back = await bringBack(copying, journal.attempt('bring-back'));
  expect(await values(bench.live, 'SELECT id FROM nodes ORDER BY 1')).toEqual([1, 2, 3, 4, 5, 8, 9, 10, 11]);
  expect(await values(bench.live, 'SELECT id FROM a ORDER BY 1')).toEqual([1, 2, 3, 5, 6, 7, 8, 9, 10]);
  expect(await values(bench.live, 'SELECT day FROM hours ORDER BY 1')).toEqual([1, 3, 4, 5, 6, 7, 8, 9]);
  expect(back.leftOut).toEqual({ same: 1, differing: 3, taken: 0, following: 6 + 1 + 1 });
  await bench.end();
});

test('of a missing table that refers to a chosen one in use the plan says that its rows come as they were', async () => {
  const bench = await recoveryBench(pair, {
    schema,
    since: `DROP TABLE remarks, order_lines; TRUNCATE orders; INSERT INTO orders VALUES (1, 'new', 'new')`,
  });
  const { facts } = await bench.choose(...named('orders', 'order_lines'));
  expect(notes(facts).join()).toContain(
    '"public"."order_lines" comes back with all of its rows, also those that refer to rows of "public"."orders"',
  );
  await bench.end();
});
