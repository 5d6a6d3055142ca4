import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import { notes } from '../../../activities/recovery/commands.ts';
import { compareAfter } from '../../../activities/recovery/compare-after.ts';
import { removeAside } from '../../../activities/recovery/copy-aside.ts';
import { restoredTables, writeAlike } from '../../../activities/recovery/inspect-restored.ts';
import { onLive, onRestored } from '../../../activities/recovery/places.ts';
import { takeOut } from '../../../activities/recovery/take-out.ts';
import { failureOf } from '../../control/support.ts';
import { startPair, world, type Pair } from '../support.ts';
import { aside, recoveryBench, values, type RecoveryBench } from './bench.ts';

/** Partitioned tables and old-style inheritance. */
const pairs = new Map<number, Pair>();
const of = (major: number): Pair => {
  const pair = pairs.get(major);
  if (!pair) throw new Error(`no servers of ${major}`);
  return pair;
};
beforeAll(async () => {
  for (const major of [16, 18] as const) pairs.set(major, await startPair({ major }, { major }));
}, 120_000);
afterAll(async () => {
  for (const pair of pairs.values()) await pair.stop();
});

const named = (...names: string[]) => names.map((name) => ({ schema: 'public', name }));

/** All that the catalogs say of these tables, on both sides. */
async function definitions(bench: RecoveryBench, version: number, ...names: string[]): Promise<unknown[]> {
  const look = async (session: Parameters<Parameters<typeof onLive>[1]>[0]): Promise<unknown> => {
    await writeAlike(session);
    const seen = await restoredTables(session, version * 10_000, named(...names));
    return seen.map(({ refersTo, ...one }) => ({ ...one, oid: 0, refersTo: refersTo.length }));
  };
  return [await onRestored(bench, look), await onLive(bench, look)];
}

const events = `CREATE TABLE order_events (id bigserial, number int GENERATED ALWAYS AS IDENTITY, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE events_1 PARTITION OF order_events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE events_2 PARTITION OF order_events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
  INSERT INTO order_events (day) SELECT '2026-01-22'::date + i FROM generate_series(1, 20) i`;

test.each([
  [16, 'order_events', 20],
  [16, 'events_2', 11],
  [18, 'order_events', 20],
  [18, 'events_2', 11],
])('on %i the sequences of a partitioned table go forward when %s comes back', async (major, chosen, rowsBack) => {
  const bench = await recoveryBench(of(major), { schema: events, since: 'TRUNCATE order_events RESTART IDENTITY' });
  const { copying, journal } = await aside(bench, ...named(chosen));
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack });
  expect(await values(bench.live, `INSERT INTO order_events (day) VALUES ('2026-01-01') RETURNING id || ' ' || number`)).toEqual(['21 21']);
  await bench.end();
});

test('sequences go forward with a partition that is missing, and past a first number that was taken', async () => {
  const schema = `${events}; CREATE TABLE single (id serial PRIMARY KEY); INSERT INTO single DEFAULT VALUES`;
  const since = 'TRUNCATE order_events, single RESTART IDENTITY; DROP TABLE events_1, events_2';
  const bench = await recoveryBench(of(16), { schema, since });
  const { copying, journal } = await aside(bench, ...named('events_1', 'events_2', 'single'));
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ tablesBack: 2, rowsBack: 21 });
  expect(await values(bench.live, `INSERT INTO order_events (day) VALUES ('2026-01-01') RETURNING id || ' ' || number`)).toEqual(['21 21']);
  expect(await values(bench.live, 'INSERT INTO single DEFAULT VALUES RETURNING id')).toEqual([2]);
  await bench.end();
});

test('partitions that are missing come back with the checks of their root', async () => {
  const schema = `${events}; ALTER TABLE order_events ADD CONSTRAINT "not ""early" CHECK (day > '2026-01-01'), ADD CHECK (id > 0)`;
  for (const since of ['DROP TABLE order_events', 'DROP TABLE events_1']) {
    const bench = await recoveryBench(of(16), { schema, since });
    const { copying, journal } = await aside(bench, ...named('order_events'));
    await bringBack(copying, journal.attempt('bring-back'));
    expect(await values(bench.live, 'SELECT count(*)::int FROM order_events')).toEqual([20]);
    const [then, now] = await definitions(bench, 16, 'order_events');
    expect(now).toEqual(then);
    await bench.end();
  }
});

const logs = `CREATE TABLE logs (id int PRIMARY KEY, note text CONSTRAINT short CHECK (length(note) < 9));
  CREATE TABLE logs_old (PRIMARY KEY (id)) INHERITS (logs); CREATE TABLE "logs_ol""der" (more int, PRIMARY KEY (id)) INHERITS (logs_old);
  INSERT INTO logs SELECT i, 'a' FROM generate_series(1, 5) i; INSERT INTO logs_old SELECT i, 'b' FROM generate_series(1, 10) i;
  INSERT INTO "logs_ol""der" SELECT i, 'c', 3 FROM generate_series(1, 3) i`;

test.each(['DROP TABLE logs CASCADE', 'TRUNCATE logs'])(
  'tables that inherit come back when all are chosen, never some: %s',
  async (since) => {
    const bench = await recoveryBench(of(16), { schema: logs, since });
    const before = await world(bench.live);
    const first = await failureOf('plan-impossible', bench.choose(...named('logs')));
    expect(first.message).toContain('"public"."logs" has tables that inherit from it: "public"."logs_old"');
    const second = await failureOf('plan-impossible', bench.choose(...named('logs', 'logs_old')));
    expect(second.message).toContain('"public"."logs_old" has tables that inherit from it: "public"."logs_ol""der"');
    const chosen = ['logs_ol"der', 'logs_old', 'logs'];
    const { copying, journal, told } = await aside(bench, ...named(...chosen));
    expect(told).toMatchObject({ rows: 18, alreadyThere: 0 });
    expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack: 18, leftOut: { same: 0, differing: 0 } });
    const measured = { target: null, recoveredTo: null, secondsAvailable: null, secondsHydrated: null, verification: {} };
    expect(await compareAfter(copying, measured, journal.attempt('compare'))).toMatchObject({ rowsBack: 18, lostAfterTarget: 0 });
    const [then, now] = await definitions(bench, 16, ...chosen);
    expect(now).toEqual(then);
    expect(await values(bench.live, `SELECT tableoid::regclass || ' ' || id FROM logs ORDER BY 1`)).toEqual(
      await values(bench.restored, `SELECT tableoid::regclass || ' ' || id FROM logs ORDER BY 1`),
    );
    await takeOut(copying, journal.attempt('bring-back', { undo: true }));
    await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
    expect(await world(bench.live)).toEqual(before);
    await bench.end();
  },
);

test.each([
  ['a partition', events, 'DROP TABLE order_events', 'events_1', '"public"."events_1" belongs to "public"."order_events"'],
  ['a table that inherits', logs, 'DROP TABLE logs CASCADE', 'logs_ol"der', '"public"."logs_ol""der" belongs to "public"."logs_old"'],
])('%s whose parent is missing, too, is no plan alone', async (_, schema, since, name, message) => {
  const bench = await recoveryBench(of(16), { schema, since });
  const failure = await failureOf('plan-impossible', bench.choose(...named(name)));
  expect(failure.message).toContain(message);
  await bench.end();
});

const family = `CREATE TABLE parents (id int PRIMARY KEY, up int REFERENCES parents) PARTITION BY HASH (id);
  CREATE TABLE parents_1 PARTITION OF parents FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE parents_2 PARTITION OF parents FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  INSERT INTO parents SELECT i, nullif(i - 1, 0) FROM generate_series(1, 20) i;
  CREATE TABLE children (id int PRIMARY KEY, parent int CONSTRAINT "its parent" REFERENCES parents);
  INSERT INTO children SELECT i, i FROM generate_series(1, 20) i;
  CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
  CREATE TRIGGER a BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION nothing()`;

test.each([
  ['DELETE FROM children', ['children'], 20],
  ['TRUNCATE parents, children', ['children', 'parents'], 40],
  ['TRUNCATE parents, children', ['parents'], 20],
])('rows that refer to a partitioned table are no orphans: %s, %j', async (since, chosen, rowsBack) => {
  for (const major of [16, 18]) {
    const bench = await recoveryBench(of(major), { schema: family, since });
    const { copying, journal, told } = await aside(bench, ...named(...chosen));
    expect(told.orphans).toEqual([]);
    expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack });
    await bench.end();
  }
});

test('rows that refer to a row that a partitioned table has no more are orphans', async () => {
  const bench = await recoveryBench(of(16), { schema: family, since: 'DELETE FROM children; DELETE FROM parents WHERE id = 20' });
  const { copying, journal, told } = await aside(bench, ...named('children'));
  expect(told.orphans).toEqual([{ table: '"public"."children"', key: 'its parent', rows: 1 }]);
  await failureOf('reference-missing', bringBack(copying, journal.attempt('bring-back')));
  await bench.end();
});

const referring = `CREATE TABLE heads (id int PRIMARY KEY); INSERT INTO heads SELECT generate_series(1, 20);
  CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept SELECT generate_series(1, 20);
  CREATE TABLE days (day date, n int CONSTRAINT "its kept" REFERENCES kept, checked int CHECK (checked > 0), PRIMARY KEY (day, n)) PARTITION BY RANGE (day);
  CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  INSERT INTO days SELECT '2026-01-01'::date + i, i, i FROM generate_series(1, 20) i;
  CREATE TABLE lines (id int PRIMARY KEY, head int CONSTRAINT "its head" REFERENCES heads) PARTITION BY HASH (id);
  CREATE TABLE lines_1 PARTITION OF lines FOR VALUES WITH (MODULUS 1, REMAINDER 0); INSERT INTO lines SELECT i, i FROM generate_series(1, 20) i`;

test.each([16, 18])(
  'on %i a partitioned table comes back with its foreign keys and checks, and with those that refer to it',
  async (major) => {
    const bench = await recoveryBench(of(major), { schema: referring, since: 'DROP TABLE days; DROP TABLE heads CASCADE' });
    const before = await world(bench.live);
    const { copying, journal } = await aside(bench, ...named('days', 'heads'));
    const back = await bringBack(copying, journal.attempt('bring-back'));
    expect(back).toMatchObject({ tablesBack: 3, rowsBack: 40, notValidated: [] });
    expect(await bringBack(copying, journal.attempt('bring-back'))).toEqual(back);
    const [then, now] = await definitions(bench, major, 'days', 'heads', 'lines');
    expect(now).toEqual(then);
    expect(await values(bench.live, `SELECT conname FROM pg_constraint WHERE contype = 'f' AND NOT convalidated`)).toEqual([]);
    await takeOut(copying, journal.attempt('bring-back', { undo: true }));
    await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
    expect(await world(bench.live)).toEqual(before);
    await bench.end();
  },
);

test('rows of a partitioned table that break its foreign key are refused where it can only be checked at once; else told', async () => {
  for (const major of [16, 18]) {
    const bench = await recoveryBench(of(major), { schema: referring, since: 'DROP TABLE days; DELETE FROM kept WHERE id = 3' });
    const { copying, journal } = await aside(bench, ...named('days'));
    expect(notes(copying.facts).join()).toMatch(major === 16 ? /the foreign key "its kept" of .* is checked as it comes back/ : /^$/);
    const back = bringBack(copying, journal.attempt('bring-back'));
    if (major === 16) expect((await failureOf('reference-missing', back)).message).toContain('its kept');
    else expect((await back).notValidated).toEqual([expect.stringContaining('its kept')]);
    await bench.end();
  }
});
