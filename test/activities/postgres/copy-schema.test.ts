import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { analyze } from '../../../activities/postgres/analyze.ts';
import * as commands from '../../../activities/postgres/commands.ts';
import { copySchema, removeSchema } from '../../../activities/postgres/copy-schema.ts';
import type { Sides } from '../../../activities/replication/side.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { forwardAt, loggedStatements, makeBench, startPair, undecided, unplanned, world, type Bench, type Pair } from '../support.ts';

/** Without it this file is left out: vitest.config.ts. */
const bin = postgres15 ?? '';
const tools = { pgDump: join(bin, 'pg_dump'), pgRestore: join(bin, 'pg_restore') };

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ bin }, { major: 18 });
}, 60_000);
afterAll(async () => await pair.stop());

/** With everything that builds on each other: functions in defaults, types in functions, views on views, foreign keys in a circle. */
const schema = `
  CREATE SCHEMA "the shop"; CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN price AS numeric CHECK (VALUE >= 0);
  CREATE FUNCTION next_note() RETURNS text LANGUAGE sql AS $$SELECT 'note'$$;
  CREATE FUNCTION judge(m mood, p price) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
  CREATE DOMAIN judged AS mood CHECK (judge(VALUE, 1));
  CREATE TABLE "the shop"."Custo""mers" (id bigserial PRIMARY KEY, best bigint, note text DEFAULT next_note(), state judged);
  CREATE TABLE "the shop".orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer bigint REFERENCES "the shop"."Custo""mers");
  ALTER TABLE "the shop"."Custo""mers" ADD FOREIGN KEY (best) REFERENCES "the shop".orders;
  CREATE FUNCTION first_order() RETURNS "the shop".orders LANGUAGE sql AS 'SELECT * FROM "the shop".orders LIMIT 1';
  CREATE VIEW aaa AS SELECT * FROM "the shop".orders; CREATE MATERIALIZED VIEW bbb AS SELECT count(*) FROM aaa; CREATE VIEW ccc AS SELECT * FROM bbb;
  CREATE TABLE days (day date PRIMARY KEY) PARTITION BY RANGE (day); CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER stamp BEFORE INSERT ON days_1 FOR EACH ROW EXECUTE FUNCTION stamp();
  CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int); CREATE OPERATOR === (leftarg = int, rightarg = int, procedure = int4eq);
  CREATE COLLATION german (provider = icu, locale = 'de'); CREATE TEXT SEARCH CONFIGURATION ours (copy = simple); CREATE SEQUENCE free;
  CREATE CAST (mood AS price) WITH FUNCTION cast_it(mood); CREATE STATISTICS both_of (dependencies) ON id, customer FROM "the shop".orders;
  CREATE RULE quiet AS ON DELETE TO days_1 DO INSTEAD NOTHING; CREATE PUBLICATION theirs FOR ALL TABLES;
  CREATE FUNCTION noticed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER noticed ON sql_drop EXECUTE FUNCTION noticed();`.replace(
  'CREATE CAST',
  `CREATE FUNCTION cast_it(mood) RETURNS price LANGUAGE sql IMMUTABLE AS 'SELECT 1::price'; CREATE CAST`,
);

interface Copy {
  readonly bench: Bench;
  readonly sides: Sides;
  readonly journal: Journal;
  readonly before: unknown;
}

async function prepared(target = ''): Promise<Copy> {
  const bench = await makeBench(pair, { sourceOnly: schema });
  await bench.target.query(target);
  const { migration, facts } = await bench.prepare({ schema: 'copy' });
  return { bench, sides: { servers: bench.servers, migration, facts }, journal: createJournal(), before: await world(bench.target) };
}

const undo = async ({ sides, journal }: Copy): Promise<void> =>
  await removeSchema(sides, undecided, journal.attempt('copy-schema', { undo: true }));

test('copies everything once, is no part of the facts then, and goes away object by object', async () => {
  const copy = await prepared();
  const { bench, sides, journal, before } = copy;
  const made = await copySchema(sides, tools, journal.attempt('copy-schema'));
  expect(made.objects).toBeGreaterThan(25);
  const once = await world(bench.target);
  expect(await copySchema(sides, tools, journal.attempt('copy-schema'))).toEqual(made);
  expect(await world(bench.target)).toEqual(once);
  expect(journal.outcomes.get(`${journal.run}/copy-schema/1`)).toBe('adopted');
  const makes = journal.intents.get(`${journal.run}/copy-schema/1`)?.['makes'];
  expect(makes).toEqual(commands.copiedObjects(sides.facts));
  const again = await bench.prepare({ ownObjects: Array.isArray(makes) ? makes.map(String) : [] });
  expect(again.facts.binding).toEqual(sides.facts.binding);
  const other = await bench.prepare({ schema: 'already-there' });
  expect(other.facts.binding.target.tables).toEqual(other.facts.binding.source.tables);
  expect((await bench.target.query('SELECT FROM pg_publication')).rowCount).toBe(0);
  await undo(copy);
  expect(await world(bench.target)).toEqual(before);
  await undo(copy);
  expect(await world(bench.target)).toEqual(before);
  const logged = await loggedStatements(pair.target, 'steadyhand copy-schema');
  expect(logged.length).toBeGreaterThan(25);
  expect(unplanned(logged, commands.removeSchema(sides.migration, sides.facts))).toEqual([]);
  await bench.end();
});

test('leaves no file and no password behind', async () => {
  const files = async (): Promise<string[]> => (await readdir(tmpdir())).filter((one) => /^steadyhand-\w{6}$/.test(one));
  const copy = await prepared();
  const there = await files();
  await copySchema(copy.sides, tools, copy.journal.attempt('copy-schema'));
  expect((await files()).filter((one) => !there.includes(one))).toEqual([]);
  for (const side of [pair.source, pair.target]) expect(await side.log()).not.toContain(side.password);
  await copy.bench.end();
});

test('the undo of a copy that never happened does nothing', async () => {
  const copy = await prepared('CREATE TABLE theirs (id int)');
  await undo(copy);
  expect(copy.journal.outcomes.get(`${copy.journal.run}/copy-schema/1/undo`)).toBe('nothing-to-undo');
  expect(await world(copy.bench.target)).toEqual(copy.before);
  await copy.bench.end();
});

test('refuses objects that it did not make, and its undo leaves them', async () => {
  const copy = await prepared();
  await copy.bench.target.query('CREATE TABLE days (theirs int)');
  await copy.bench.target.query('CREATE VIEW aaa AS SELECT 1');
  const there = await world(copy.bench.target);
  await expect(copySchema(copy.sides, tools, copy.journal.attempt('copy-schema'))).rejects.toMatchObject({ code: 'foreign-object' });
  await undo(copy);
  expect(await world(copy.bench.target)).toEqual(there);
  await copy.bench.end();
});

test('what somebody hung on the copy stays, with what it hangs on, and is told', async () => {
  const copy = await prepared();
  await copySchema(copy.sides, tools, copy.journal.attempt('copy-schema'));
  await copy.bench.target.query('CREATE TABLE public.theirs (state mood)');
  await expect(undo(copy)).rejects.toMatchObject({
    code: 'foreign-object',
    message: expect.stringContaining('type "public"."mood"') as string,
  });
  await copy.bench.target.query('DROP TABLE public.theirs');
  await undo(copy);
  expect(await world(copy.bench.target)).toEqual(copy.before);
  await copy.bench.end();
});

test('after the point of no return nothing is dropped', async () => {
  const copy = await prepared();
  await copySchema(copy.sides, tools, copy.journal.attempt('copy-schema'));
  const there = await world(copy.bench.target);
  await expect(removeSchema(copy.sides, forwardAt('0/0'), copy.journal.attempt('copy-schema', { undo: true }))).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(await world(copy.bench.target)).toEqual(there);
  await copy.bench.end();
});

test('a restore that fails leaves nothing, and says why', async () => {
  const copy = await prepared();
  await copy.bench.source.query(`CREATE ROLE only_here; CREATE TABLE last_one (id int); ALTER TABLE last_one OWNER TO only_here`);
  await expect(copySchema(copy.sides, tools, copy.journal.attempt('copy-schema'))).rejects.toMatchObject({
    code: 'tool-failed',
    message: expect.stringContaining('only_here') as string,
  });
  expect(await world(copy.bench.target)).toEqual(copy.before);
  await copy.bench.source.query('DROP TABLE last_one; DROP ROLE only_here');
  await copySchema(copy.sides, tools, copy.journal.attempt('copy-schema'));
  await copy.bench.end();
});

test('refuses a pg_dump that is older than the source, and one that is not there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'steadyhand-test-'));
  const old = join(folder, 'pg_dump');
  await writeFile(old, '#!/bin/sh\necho "pg_dump (PostgreSQL) 14.9"\n');
  await chmod(old, 0o755);
  const copy = await prepared();
  const attempt = (pgDump: string | undefined): Promise<unknown> =>
    copySchema(copy.sides, { ...tools, pgDump }, copy.journal.attempt('copy-schema'));
  await expect(attempt(old)).rejects.toMatchObject({ code: 'tool-missing', message: `needs pg_dump 15 or newer; found 14.9 at ${old}` });
  await expect(attempt(undefined)).rejects.toMatchObject({ code: 'tool-missing', message: 'needs pg_dump 15 or newer; found none' });
  await expect(attempt('/nowhere/pg_dump')).rejects.toMatchObject({ code: 'tool-missing' });
  await rm(folder, { recursive: true });
  await copy.bench.end();
});

test('analyses tables and partition roots and fills materialised views, by planned commands', async () => {
  const bench = await makeBench(pair, {
    schema: `CREATE TABLE days (day date) PARTITION BY RANGE (day); CREATE TABLE days_1 PARTITION OF days DEFAULT; CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS n FROM days`,
  });
  const { migration, facts } = await bench.prepare();
  await bench.target.query(`INSERT INTO days SELECT '2026-01-01' FROM generate_series(1, 10)`);
  const journal = createJournal();
  for (let time = 0; time < 2; time += 1) await analyze({ servers: bench.servers, migration, facts }, journal.attempt('analyze'));
  expect((await bench.target.query('SELECT n FROM sums')).rows).toEqual([{ n: '10' }]);
  expect((await bench.target.query(`SELECT reltuples FROM pg_class WHERE relname IN ('days', 'days_1')`)).rows).toEqual([
    { reltuples: 10 },
    { reltuples: 10 },
  ]);
  const logged = await loggedStatements(pair.target, 'steadyhand analyze');
  expect(logged.length).toBeGreaterThan(5);
  expect(unplanned(logged, commands.analyze(migration, facts))).toEqual([]);
  await bench.end();
});
