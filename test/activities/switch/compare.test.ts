import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { compareRows, writtenAfter } from '../../../activities/postgres/compare-rows.ts';
import { openPairs } from '../../../activities/postgres/compare-sessions.ts';
import { compareTable } from '../../../activities/postgres/compare-table.ts';
import { createCompareActivity } from '../../../activities/postgres/compare.ts';
import type { Comparison } from '../../../activities/postgres/contract.ts';
import { createSwitchActivities } from '../../../activities/replication/switch/create-switch-activities.ts';
import { Failure } from '../../../domain/failure.ts';
import { eventually } from '../../support/eventually.ts';
import { createNoReturn } from './faults.ts';
import { startMachines, type Machines } from './machines.ts';
import { createWorld, type World } from './world.ts';
import { startWriters } from './writers.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

/** A pair that was switched; `before` happens on the target right before the switch, behind the replication's back. */
async function switched(before = '') {
  const world = await createWorld(machines, { rows: 2_000 });
  if (before !== '') await world.target(`SET session_replication_role = replica; ${before}`);
  const noReturn = createNoReturn(() => 1);
  const activities = createSwitchActivities({ ...world.deps, noReturn });
  await activities.closeTarget(world.migration, world.journal.attempt('close-target'));
  await activities.switchOver(world.migration, world.journal.attempt('switch'));
  const compare = async (attempt = world.journal.attempt('compare')): Promise<Comparison> =>
    await createCompareActivity({ ...world.deps, noReturn }).compare(world.migration, attempt);
  return { world, compare };
}

async function snapshotsKept(world: World): Promise<number> {
  return (await world.target(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'steadyhand snapshot ${world.journal.tag}'`)).length;
}

async function failureOf(act: Promise<unknown>): Promise<Failure> {
  const error = await act.then(
    () => 'it did not fail',
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error('a Failure was expected', { cause: error });
}

const changes = `
  INSERT INTO orders (note) VALUES ('after the switch');
  UPDATE orders SET note = 'changed after' WHERE id = 7;
  DELETE FROM orders WHERE id = 8;
  UPDATE customers SET name = 'changed after' WHERE code = 'c1';
  DELETE FROM remarks WHERE amount = 1;`;

const planted = `
  UPDATE customers SET name = 'wrong' WHERE code = 'c5';
  DELETE FROM orders WHERE id = 1234;
  INSERT INTO remarks VALUES ('one more', 1);
  UPDATE kinds SET num = num + 0.000000001 WHERE flag;`;

describe('comparing after the switch', () => {
  test('on its snapshot: exact, while writes go on', async () => {
    const { world, compare } = await switched();
    const writers = startWriters(world.ways, 2);
    onTestFinished(async () => void (await writers.stop()));
    await world.target(changes);
    await eventually(() => Promise.resolve(writers.count() > 20 || undefined));
    const attempt = world.journal.attempt('compare');
    const result = await compare(attempt);
    expect(result).toMatchObject({ tables: 6, tablesDiffering: 0, sequencesBehind: 0, method: 'snapshot', changedSince: 0 });
    expect(result.rowsCompared).toBe(2_000 + 2_000 + 30 + 50 + 20);
    expect(attempt.shown.at(-1)?.summary).toMatch(/^6 of 6 tables, 4100 of about \d+ rows/);
    expect(await snapshotsKept(world)).toBe(0);
  });

  test('differences are found in every kind of table, and named; the snapshot is kept for another look', async () => {
    const { world, compare } = await switched(planted);
    await world.target(changes);
    const failure = await failureOf(compare());
    expect(failure.code).toBe('data-differs');
    expect(failure.facts.tables).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ table: 'public.customers', differing: 1, firstKeys: ['(c5)'] }),
        expect.objectContaining({ table: 'public.orders', differing: 1, firstKeys: ['(1234)'] }),
        expect.objectContaining({ table: 'public.remarks', differing: 1 }),
        expect.objectContaining({ table: 'public.kinds', differing: 25 }),
      ]),
    );
    expect(failure.facts.tablesDiffering).toBe(4);
    expect(await snapshotsKept(world)).toBe(1);
  });

  test('the snapshot is lost: what changed since is passed over and counted, what was wrong before is found', async () => {
    const lose = async (world: World): Promise<void> => {
      await world.target(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'steadyhand snapshot %'`);
      await eventually(async () => (await snapshotsKept(world)) === 0 || undefined);
    };
    const good = await switched();
    await lose(good.world);
    await good.world.target(changes);
    // One insert, two updates, and what was deleted: one order and ten remarks.
    expect(await good.compare()).toMatchObject({ method: 'live', tablesDiffering: 0, changedSince: 14 });

    const bad = await switched(`UPDATE customers SET name = 'wrong' WHERE code = 'c5'`);
    await lose(bad.world);
    await bad.world.target(changes);
    expect((await failureOf(bad.compare())).facts.tables).toEqual([
      expect.objectContaining({ table: 'public.customers', firstKeys: ['(c5)'] }),
    ]);
  });

  test('a sequence that is behind', async () => {
    const { world, compare } = await switched();
    await world.target(`SELECT setval('tickets', 100, false)`);
    expect((await failureOf(compare())).facts.sequencesBehind).toEqual(['public.tickets']);
  });

  test('a retry goes on with the tables that were not done', async () => {
    const { world, compare } = await switched(planted);
    const done = (table: string) => ({ table, rows: 1, differing: 0, firstKeys: [], changedSince: 0 });
    const attempt = world.journal.attempt('compare');
    const results = ['public.customers', 'public.orders', 'public.remarks'].map(done);
    const failure = await failureOf(compare({ ...attempt, checkpoint: { live: false, results } }));
    expect(failure.facts.tables).toEqual([expect.objectContaining({ table: 'public.kinds' })]);
  });

  test('nothing to compare before the switch', async () => {
    const world = await createWorld(machines);
    const { compare } = createCompareActivity({ ...world.deps, noReturn: createNoReturn(() => 1) });
    expect((await failureOf(compare(world.migration, world.journal.attempt('compare')))).code).toBe('conflict');
  });
});

describe('a table in pieces', () => {
  test('every row is in exactly one piece, wherever the cuts fall', async () => {
    const { world } = await switched('DELETE FROM orders WHERE id IN (1, 100, 101, 2000)');
    const pairs = await openPairs(world.servers, world.migration, world.facts, 'nothing', 1);
    onTestFinished(() => pairs.end());
    expect(pairs.method).toBe('live');
    const [pair] = pairs.pairs;
    const table = world.facts.binding.source.tables.find((one) => one.name === 'orders');
    if (!pair || !table) throw new Error('the world has this table');
    const pieces: number[] = [];
    const result = await compareTable(pair, {
      table,
      estimatedRows: 2_000,
      sameEncoding: true,
      rowsPerPiece: 100,
      writtenSince: undefined,
      compared: (rows) => pieces.push(rows),
    });
    expect(pieces).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 100).concat(2_000));
    expect(result).toMatchObject({ rows: 2_000, differing: 4, firstKeys: ['(1)', '(100)', '(101)', '(2000)'] });
  });
});

describe('rows one by one', () => {
  const row = (key: string, hash: string, xmin = '5') => ({ key, hash, xmin });

  test('changed, missing, additional, and one of several alike', () => {
    const source = [row('a', '1'), row('b', '2'), row('twice', 'x'), row('twice', 'x')];
    const target = [row('a', '1'), row('b', 'other'), row('c', '3'), row('twice', 'x')];
    expect(compareRows(source, target, undefined)).toEqual({ keys: ['b', 'c', 'twice'], changedSince: 0 });
    expect(compareRows(source, target, () => true)).toEqual({ keys: [], changedSince: 3 });
  });

  test('a row written after the snapshot, also across the wrap of transaction ids', () => {
    const since = writtenAfter('90:100:95,97');
    expect(['94', '95', '96', '99', '100', '2'].map(since)).toEqual([false, true, false, false, true, false]);
    const wrapped = writtenAfter(`${2n ** 32n + 50n}:${2n ** 32n + 60n}:`);
    expect(['59', '60', '61', '4294967290'].map(wrapped)).toEqual([false, true, true, false]);
    const before = writtenAfter(`${2n ** 32n - 10n}:${2n ** 32n - 5n}:`);
    expect(['4294967200', '4294967292', '7'].map(before)).toEqual([false, true, true]);
  });
});
