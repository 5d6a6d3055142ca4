import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import { names } from '../../../activities/recovery/aside-commands.ts';
import * as commands from '../../../activities/recovery/commands.ts';
import { copyAside, removeAside } from '../../../activities/recovery/copy-aside.ts';
import { restoredTables, writeAlike } from '../../../activities/recovery/inspect-restored.ts';
import { onLive, onRestored } from '../../../activities/recovery/places.ts';
import { takeOut } from '../../../activities/recovery/take-out.ts';
import { failureOf } from '../../control/support.ts';
import { createJournal } from '../../support/attempt.ts';
import { eventually } from '../../support/eventually.ts';
import { connect, inDatabase, loggedStatements, startPair, unplanned, world, type Pair } from '../support.ts';
import { aside, recoveryBench, values, type RecoveryBench } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
  for (const side of [pair.source, pair.target]) {
    await inDatabase(side, 'postgres', `CREATE ROLE "the ""owner" NOLOGIN; CREATE ROLE reader NOLOGIN`);
  }
}, 60_000);
afterAll(async () => await pair.stop());

/** 63 bytes, with what breaks those who don't quote. */
const long = `Or"ders' :tag ☃ ${'x'.repeat(45)}`;
const orders = { schema: `Sch"ema' :"tag"`, name: long };
const place = `"Sch""ema' :""tag"""."${long.replaceAll('"', '""')}"`;

const hostile = `
  CREATE SCHEMA "Sch""ema' :""tag""" AUTHORIZATION "the ""owner";
  CREATE TYPE "Sch""ema' :""tag"""."mo""od" AS ENUM ('good', 'it''s \\ bad');
  CREATE DOMAIN "Sch""ema' :""tag""".price AS numeric(12, 2) DEFAULT 1 NOT NULL CONSTRAINT positive CHECK (VALUE >= 0);
  CREATE TABLE customers (id int PRIMARY KEY, name text);
  INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 10) i;
  CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.note = 'stamped'; RETURN NEW; END$$;
  CREATE TABLE ${place} (
    gone int, id bigserial PRIMARY KEY, "Né:x" "Sch""ema' :""tag"""."mo""od" DEFAULT 'good', moods "Sch""ema' :""tag"""."mo""od"[],
    cost "Sch""ema' :""tag""".price, customer int CONSTRAINT "its customer" REFERENCES customers ON DELETE SET NULL, note text COLLATE "C" DEFAULT 'a' || 'b',
    doubled numeric GENERATED ALWAYS AS (cost * 2) STORED, number int GENERATED ALWAYS AS IDENTITY (START 7 INCREMENT 3), what jsonb, raw bytea,
    at timestamptz, span interval, ratio float8, words text[], CONSTRAINT "no 'x'" CHECK (note <> 'x'), UNIQUE (number)) WITH (fillfactor = 70);
  ALTER TABLE ${place} DROP COLUMN gone;
  INSERT INTO ${place} ("Né:x", moods, cost, customer, note, what, raw, at, span, ratio, words)
    SELECT 'it''s \\ bad', ARRAY['good', NULL]::"Sch""ema' :""tag"""."mo""od"[], i / 3.0, i % 10 + 1, E'line\\n\\t\\\\' || i, '{"a": [1, null]}', '\\x00ff5c'::bytea,
           '2026-01-01Z'::timestamptz + i * interval '1.000001 s', '1 mon -3 days', i / 7.0, ARRAY['"', NULL, 'NULL', '{}'] FROM generate_series(1, 500) i;
  CREATE INDEX "i""x" ON ${place} (lower(note)) WHERE "Né:x" = 'good'; CREATE UNIQUE INDEX ON ${place} (id, number);
  CREATE TRIGGER "st""amp" BEFORE UPDATE ON ${place} FOR EACH ROW EXECUTE FUNCTION stamp();
  CREATE TRIGGER off BEFORE INSERT ON ${place} FOR EACH ROW EXECUTE FUNCTION stamp(); ALTER TABLE ${place} DISABLE TRIGGER off;
  CREATE STATISTICS both_of (dependencies) ON id, number FROM ${place};
  ALTER TABLE ${place} OWNER TO "the ""owner"; GRANT SELECT ON ${place} TO reader WITH GRANT OPTION; GRANT UPDATE (note) ON ${place} TO PUBLIC;
  ALTER TABLE ${place} ENABLE ROW LEVEL SECURITY; CREATE POLICY "p:x" ON ${place} FOR SELECT TO reader USING (note <> 'secret');
  COMMENT ON TABLE ${place} IS 'it''s \\ ours'; COMMENT ON COLUMN ${place}."Né:x" IS 'mood'; ALTER TABLE ${place} REPLICA IDENTITY FULL;
  CREATE TABLE lines (id int PRIMARY KEY, "order" bigint CONSTRAINT "of an order" REFERENCES ${place});
  INSERT INTO lines SELECT i, i FROM generate_series(1, 20) i;
  CREATE VIEW seen AS SELECT id FROM ${place};
  CREATE TABLE days (day date, n int, PRIMARY KEY (day, n)) PARTITION BY RANGE (day);
  CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY LIST (n);
  CREATE TABLE days_2_1 PARTITION OF days_2 FOR VALUES IN (1); CREATE INDEX ON days (n);
  INSERT INTO days SELECT '2026-01-15'::date + i, 1 FROM generate_series(0, 30) i;`;

const rowsOf = async (bench: RecoveryBench, table: string): Promise<unknown[]> =>
  await Promise.all([bench.restored, bench.live].map(async (client) => await values(client, `SELECT t::text FROM ${table} t ORDER BY 1`)));

/** All that the catalogs say of these tables, on both sides. */
async function definitions(bench: RecoveryBench, ...tables: { schema: string; name: string }[]): Promise<unknown[]> {
  const look = async (session: Parameters<Parameters<typeof onLive>[1]>[0]): Promise<unknown> => {
    await writeAlike(session);
    const seen = await restoredTables(session, 160_000, tables);
    return seen.map(({ refersTo, ...one }) => ({ ...one, oid: 0, refersTo: refersTo.length }));
  };
  return [await onRestored(bench, look), await onLive(bench, look)];
}

test('a dropped schema comes back as it was: every kind of column, key, index, right, policy, trigger and sequence; and goes again', async () => {
  const bench = await recoveryBench(pair, { schema: hostile, since: `DROP SCHEMA "Sch""ema' :""tag""" CASCADE` });
  const before = await world(bench.live);
  const { copying, journal, told } = await aside(bench, orders);
  expect(told).toEqual({ tables: 1, rows: 500, bytes: expect.any(Number) as number, alreadyThere: 0, orphans: [] });
  expect(copying.facts.notMade).toEqual(['view "public"."seen"']);
  const back = await bringBack(copying, journal.attempt('bring-back'));
  expect(back).toEqual({
    tablesBack: 1,
    rowsBack: 500,
    leftOut: { same: 0, differing: 0, taken: 0, following: 0 },
    differing: [],
    following: [],
    notValidated: [],
  });
  const [then, now] = await definitions(bench, orders, { schema: 'public', name: 'lines' });
  expect(now).toEqual(then);
  const [rows, rowsNow] = await rowsOf(bench, place);
  expect(rowsNow).toEqual(rows);
  expect(await values(bench.live, `INSERT INTO ${place} (cost) VALUES (1) RETURNING id || ' ' || number`)).toEqual(['501 1507']);
  await bench.live.query(`DELETE FROM ${place} WHERE id = 501`);
  expect(await bringBack(copying, journal.attempt('bring-back'))).toEqual(back);
  expect(await copyAside(copying, journal.attempt('copy-aside'))).toMatchObject({ tables: 1, rows: 500 });
  await takeOut(copying, journal.attempt('bring-back', { undo: true }));
  await takeOut(copying, journal.attempt('bring-back', { undo: true }));
  await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
  await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
  expect(await world(bench.live)).toEqual(before);
  await bench.end();
});

test('deleted rows come back into a table in use; what was written since stays, and is told', async () => {
  const since = `DELETE FROM lines; DELETE FROM ${place} WHERE id <= 100; UPDATE ${place} SET note = 'newer' WHERE id = 101;
    UPDATE ${place} SET number = DEFAULT WHERE id = 102; INSERT INTO ${place} (cost, note) VALUES (5, 'live'); ALTER TABLE ${place} ADD later int DEFAULT 4;
    DELETE FROM ${place} WHERE id = 103; INSERT INTO ${place} (id, cost, number) OVERRIDING SYSTEM VALUE VALUES (9000, 1, 7 + 3 * 102);
    ALTER TABLE ${place} ENABLE ALWAYS TRIGGER off; CREATE RULE off AS ON INSERT TO lines DO INSTEAD NOTHING; ALTER TABLE lines DISABLE RULE off`;
  const bench = await recoveryBench(pair, { schema: hostile, since });
  const { copying, journal, told } = await aside(bench, orders, { schema: 'public', name: 'lines', where: `id % 2 = 0 AND "order" > '3'` });
  expect(told).toEqual({ tables: 2, rows: 509, bytes: expect.any(Number) as number, alreadyThere: 399, orphans: [] });
  const back = await bringBack(copying, journal.attempt('bring-back'));
  expect(back).toMatchObject({ tablesBack: 0, rowsBack: 109, leftOut: { same: 397, differing: 2, taken: 1 } });
  expect(back.differing).toEqual([101, 102].map((id) => `${`"Sch""ema' :""tag"""."${long.replaceAll('"', '""')}"`} (${id})`));
  expect(await values(bench.live, `SELECT note FROM ${place} WHERE id IN (7, 101, 501) ORDER BY id`)).toEqual([
    'line\n\t\\7',
    'stamped',
    'live',
  ]);
  expect(await values(bench.live, `SELECT later FROM ${place} WHERE id = 7`)).toEqual([4]);
  expect(await values(bench.live, 'SELECT id FROM lines ORDER BY 1')).toEqual([4, 6, 8, 10, 12, 14, 16, 18, 20]);
  expect(await values(bench.live, `SELECT tgenabled FROM pg_trigger WHERE tgname IN ('off', 'st"amp') ORDER BY tgname`)).toEqual([
    'A',
    'O',
  ]);
  // Somebody goes on working: what is changed, or referred to by now, stays when the rest is taken out.
  await bench.live.query(`UPDATE ${place} SET cost = 7 WHERE id = 50; INSERT INTO lines VALUES (1000, 51)`);
  const stays = await failureOf('drift', takeOut(copying, journal.attempt('bring-back', { undo: true })));
  expect(stays.facts['left']).toEqual([`2 rows of ${place}`]);
  await failureOf('drift', takeOut(copying, journal.attempt('bring-back', { undo: true })));
  expect(await values(bench.live, `SELECT id FROM ${place} WHERE id <= 103 ORDER BY 1`)).toEqual(['50', '51', '101', '102']);
  expect(await values(bench.live, 'SELECT id FROM lines')).toEqual([1000]);
  expect(await values(bench.live, `SELECT count(*)::int FROM ${place}`)).toEqual([403]);
  await bench.end();
});

test('partitions come back: those that are there get their rows, those that are missing are attached; or the whole tree', async () => {
  for (const since of ['DELETE FROM days_1 WHERE n = 1; DROP TABLE days_2', 'DROP TABLE days']) {
    const bench = await recoveryBench(pair, { schema: hostile, since });
    const days = { schema: 'public', name: 'days' };
    const { copying, journal } = await aside(bench, days);
    const before = await world(bench.live);
    expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack: 31, leftOut: { same: 0 } });
    const [then, now] = await definitions(bench, days);
    expect(now).toEqual(then);
    const [rows, rowsNow] = await rowsOf(bench, 'days');
    expect(rowsNow).toEqual(rows);
    await takeOut(copying, journal.attempt('bring-back', { undo: true }));
    await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
    expect(await world(bench.live)).not.toEqual(before);
    expect(await values(bench.live, `SELECT relname::text FROM pg_class WHERE relname LIKE 'days%' AND relkind IN ('r', 'p')`)).toEqual(
      since.startsWith('DELETE') ? ['days', 'days_1'] : [],
    );
    await bench.end();
  }
});

test('rows whose parents are gone are told before, and refused; nothing comes back then', async () => {
  for (const trigger of ['', 'CREATE TRIGGER off BEFORE INSERT ON lines FOR EACH ROW EXECUTE FUNCTION stamp()']) {
    const since = `DELETE FROM lines; DELETE FROM ${place} WHERE id IN (3, 5); ${trigger}`;
    const bench = await recoveryBench(pair, { schema: hostile, since });
    const { copying, journal, told } = await aside(bench, { schema: 'public', name: 'lines' });
    expect(told.orphans).toEqual([{ table: '"public"."lines"', key: 'of an order', rows: 2 }]);
    await failureOf('reference-missing', bringBack(copying, journal.attempt('bring-back')));
    expect(await values(bench.live, 'SELECT id FROM lines')).toEqual([]);
    await takeOut(copying, journal.attempt('bring-back', { undo: true }));
    await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
    await bench.end();
  }
});

test('a crash between two tables, between intent and act, and after the commit: each is taken up; two at once are one', async () => {
  const bench = await recoveryBench(pair, { schema: hostile, since: `TRUNCATE lines, ${place}, customers RESTART IDENTITY` });
  const chosen = [{ schema: 'public', name: 'customers' }, orders, { schema: 'public', name: 'lines' }];
  const copying = await bench.choose(...chosen);
  const journal = createJournal();
  const stopped = new AbortController();
  const first = journal.attempt('copy-aside', { signal: stopped.signal });
  const dying = {
    ...first,
    current: async (): Promise<void> => {
      await first.current();
      stopped.abort(new Error('killed'));
    },
  };
  await expect(copyAside(copying, dying)).rejects.toThrow('killed');
  const both = [
    copyAside(copying, journal.attempt('copy-aside')),
    copyAside(copying, { ...journal.attempt('copy-aside'), current: () => Promise.resolve() }),
  ];
  const ended = await Promise.allSettled(both);
  expect(ended.some((one) => one.status === 'fulfilled')).toBe(true);
  expect(await copyAside(copying, journal.attempt('copy-aside'))).toMatchObject({ tables: 3, rows: 530 });
  await journal.attempt('bring-back').intend({});
  const twice = await Promise.allSettled([
    bringBack(copying, journal.attempt('bring-back')),
    bringBack(copying, { ...journal.attempt('bring-back'), current: () => Promise.resolve() }),
  ]);
  expect(twice.some((one) => one.status === 'fulfilled')).toBe(true);
  const back = await bringBack(copying, journal.attempt('bring-back'));
  expect(back).toMatchObject({ tablesBack: 0, rowsBack: 530 });
  for (const table of ['customers', place, 'lines']) {
    const [rows, now] = await rowsOf(bench, table);
    expect(now).toEqual(rows);
  }
  expect(await values(bench.live, `INSERT INTO ${place} (cost) VALUES (1) RETURNING id || ' ' || number`)).toEqual(['501 1507']);
  await bench.live.query(`DELETE FROM ${place} WHERE id = 501`);
  await takeOut(copying, journal.attempt('bring-back', { undo: true }));
  expect(await values(bench.live, `SELECT count(*)::int FROM ${place}`)).toEqual([0]);
  await bench.end();
});

test('executes what the plan says and nothing else', async () => {
  const steps = ['copy-aside', 'bring-back'];
  const logged = async (): Promise<string[][]> =>
    await Promise.all(steps.map(async (step) => await loggedStatements(pair.target, `steadyhand ${step}`)));
  const earlier = await logged();
  const bench = await recoveryBench(pair, {
    schema: hostile,
    since: `DROP TABLE ${place} CASCADE; DELETE FROM customers; ALTER TABLE lines ADD UNIQUE (id)`,
  });
  const { copying, journal } = await aside(
    bench,
    orders,
    { schema: 'public', name: 'customers', where: 'id < 5' },
    { schema: 'public', name: 'lines' },
  );
  const back = await bringBack(copying, journal.attempt('bring-back'));
  expect(back.tablesBack).toBe(1);
  expect(back.notValidated).toEqual([expect.stringContaining('"its customer"')]);
  await takeOut(copying, journal.attempt('bring-back', { undo: true }));
  await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
  const { facts, recovery } = copying;
  const all = [commands.copyAside, commands.bringBack, commands.takeOut, commands.removeAside].flatMap((verb) => verb(recovery, facts));
  expect(Object.keys(names(journal.tag, facts))).toEqual(['tag', 'tag_2', 'tag_journal']);
  for (const [index, statements] of (await logged()).entries()) {
    const mine = statements.slice(earlier[index]?.length);
    expect(mine.length).toBeGreaterThan(20);
    expect(unplanned(mine, all)).toEqual([]);
  }
  await bench.end();
});

test.each([
  ['other tables get their rows', 'INSERT INTO second VALUES (20, 20)', 39],
  ['references are checked', 'SELECT FROM parents WHERE id = 3 FOR UPDATE', 40],
  ['foreign keys come back', 'LOCK TABLE parents IN ROW EXCLUSIVE MODE', 40],
])('whoever takes a number of a sequence is not held up while %s', async (_, hold, rowsBack) => {
  const schema = `CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents SELECT generate_series(1, 20);
    CREATE TABLE first (id serial PRIMARY KEY, n int); CREATE TABLE second (id serial PRIMARY KEY, parent int REFERENCES parents);
    CREATE TABLE gone (id int PRIMARY KEY, parent int REFERENCES parents); INSERT INTO first (n) SELECT generate_series(1, 20);
    INSERT INTO second SELECT i, i FROM generate_series(1, 20) i; CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
    CREATE TRIGGER a BEFORE INSERT ON second FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION stamp()`;
  const bench = await recoveryBench(pair, { schema, since: 'DELETE FROM first; DELETE FROM second; DROP TABLE gone' });
  const { copying, journal } = await aside(bench, ...['first', 'second', 'gone'].map((name) => ({ schema: 'public', name })));
  await bench.live.query(`BEGIN; ${hold}`);
  const application = await connect(pair.target, bench.dbname);
  const back = bringBack(copying, journal.attempt('bring-back'));
  await eventually(async () => {
    const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return (await values(application, waiting))[0];
  });
  await application.query(`SET lock_timeout = '500ms'`);
  expect(await values(application, 'INSERT INTO first (n) VALUES (1) RETURNING id')).toEqual([21]);
  await application.end();
  await bench.live.query('COMMIT');
  expect(await back).toMatchObject({ rowsBack });
  await bench.end();
});

test('a column that was generated at the moment and is an ordinary one now gets its values', async () => {
  const bench = await recoveryBench(pair, {
    schema: `CREATE TABLE sums (id int PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED, half int);
      INSERT INTO sums (id, n, half) SELECT i, i, i / 2 FROM generate_series(1, 9) i`,
    since: `DELETE FROM sums; ALTER TABLE sums ALTER twice DROP EXPRESSION; ALTER TABLE sums DROP half;
      ALTER TABLE sums ADD half int GENERATED ALWAYS AS (n * 10) STORED`,
  });
  const { copying, journal } = await aside(bench, { schema: 'public', name: 'sums' });
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack: 9 });
  expect(await values(bench.live, 'SELECT twice FROM sums ORDER BY id')).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18]);
  expect(commands.notes(copying.facts)).toEqual([
    '"public"."sums"."half" is generated now: it has what its expression says, not its values of the moment',
  ]);
  await bench.end();
});
