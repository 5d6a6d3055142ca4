import { afterAll, beforeAll, expect, test } from 'vitest';
import type pg from 'pg';
import { freezeDdl, thawDdl } from '../../../activities/replication/freeze-ddl.ts';
import { createJournal } from '../../support/attempt.ts';
import { connect, makeBench, startPair, world, type Bench, type Pair } from '../support.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => await pair.stop());

const schema =
  'CREATE TABLE parcels (id int PRIMARY KEY, note text); CREATE MATERIALIZED VIEW heaps AS SELECT count(*) FROM parcels; CREATE VIEW light AS SELECT id FROM parcels;';

async function frozen(): Promise<{
  bench: Bench;
  sides: Parameters<typeof freezeDdl>[0];
  journal: ReturnType<typeof createJournal>;
  before: unknown;
}> {
  const bench = await makeBench(pair, { schema });
  const before = await world(bench.source);
  const { migration, facts } = await bench.prepare();
  return { bench, sides: { servers: bench.servers, migration, facts }, journal: createJournal(), before };
}

const refusal = (client: pg.Client, sql: string): Promise<string> =>
  client.query(sql).then(
    () => 'allowed',
    (error: Error) => error.message,
  );

test('refuses DDL with a message that names the run, and lets everything else pass', async () => {
  const { bench, sides, journal } = await frozen();
  await freezeDdl(sides, journal.attempt('freeze-ddl'));
  const { source } = bench;
  const refused = [
    'CREATE TABLE late (id int)',
    'ALTER TABLE parcels ADD COLUMN late int',
    'ALTER TABLE parcels DROP COLUMN note',
    'DROP VIEW light',
    'DROP TABLE parcels CASCADE',
    'CREATE INDEX ON parcels (note)',
    'DROP SCHEMA public CASCADE',
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
  ];
  for (const sql of refused) expect(await refusal(source, sql), sql).toContain(journal.run);
  const allowed = [
    'CREATE TEMP TABLE basket (id serial PRIMARY KEY, note text UNIQUE)',
    'CREATE INDEX ON basket (note)',
    'ALTER TABLE basket ADD COLUMN more int',
    'CREATE TEMP VIEW seen AS SELECT * FROM basket',
    'DROP VIEW seen',
    'DROP TABLE basket',
    'GRANT SELECT ON parcels TO PUBLIC',
    'REVOKE SELECT ON parcels FROM PUBLIC',
    `COMMENT ON TABLE parcels IS 'parcels'`,
    'REFRESH MATERIALIZED VIEW heaps',
    'VACUUM FULL parcels',
    'TRUNCATE parcels',
    'INSERT INTO parcels VALUES (1)',
    'CREATE TABLE IF NOT EXISTS parcels (id int)',
    'DROP TABLE IF EXISTS never',
    `SELECT 1 INTO TEMP one`,
    'DISCARD TEMP',
    'ANALYZE parcels',
  ];
  for (const sql of allowed) expect(await refusal(source, sql), sql).toBe('allowed');
  await source.query(`SET steadyhand.ddl = 'allow'; CREATE TABLE ours (id int); DROP TABLE ours`);
  const own = await connect(pair.source, bench.dbname, { name: 'steadyhand copy-schema' });
  expect(await refusal(own, 'CREATE TABLE ours (id int); DROP TABLE ours')).toBe('allowed');
  await own.end();
  await bench.end();
});

test('done twice is done once, and undone leaves the source as it was', async () => {
  const { bench, sides, journal, before } = await frozen();
  await freezeDdl(sides, journal.attempt('freeze-ddl'));
  const once = await world(bench.source);
  await freezeDdl(sides, journal.attempt('freeze-ddl'));
  expect(await world(bench.source)).toEqual(once);
  expect(journal.outcomes.get(`${journal.run}/freeze-ddl/1`)).toBe('adopted');
  await thawDdl(sides, journal.attempt('freeze-ddl', { undo: true }));
  expect(await world(bench.source)).toEqual(before);
  await thawDdl(sides, journal.attempt('freeze-ddl', { undo: true }));
  expect(await world(bench.source)).toEqual(before);
  expect(await refusal(bench.source, 'CREATE TABLE late (id int)')).toBe('allowed');
  await bench.end();
});

test('the undo of a freeze that never happened does nothing', async () => {
  const { bench, sides, journal, before } = await frozen();
  await thawDdl(sides, journal.attempt('freeze-ddl', { undo: true }));
  expect(journal.outcomes.get(`${journal.run}/freeze-ddl/1/undo`)).toBe('nothing-to-undo');
  expect(await world(bench.source)).toEqual(before);
  await bench.end();
});

test('refuses an event trigger of our name and a schema "steadyhand" that are not ours, and leaves them', async () => {
  const { bench, sides, journal } = await frozen();
  await bench.source.query(
    `CREATE FUNCTION theirs() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER ${journal.tag} ON sql_drop EXECUTE FUNCTION theirs()`,
  );
  const there = await world(bench.source);
  await expect(freezeDdl(sides, journal.attempt('freeze-ddl'))).rejects.toMatchObject({ code: 'foreign-object' });
  await thawDdl(sides, journal.attempt('freeze-ddl', { undo: true }));
  expect(await world(bench.source)).toEqual(there);
  await bench.source.query(`DROP EVENT TRIGGER ${journal.tag}; CREATE SCHEMA steadyhand`);
  await expect(freezeDdl(sides, journal.attempt('freeze-ddl'))).rejects.toMatchObject({ code: 'foreign-object' });
  await bench.end();
});

test('a freeze that somebody switched off is drift', async () => {
  const { bench, sides, journal } = await frozen();
  await freezeDdl(sides, journal.attempt('freeze-ddl'));
  await bench.source.query(`ALTER EVENT TRIGGER ${journal.tag} DISABLE`);
  await expect(freezeDdl(sides, journal.attempt('freeze-ddl'))).rejects.toMatchObject({ code: 'drift' });
  await bench.source.query(`DROP EVENT TRIGGER ${journal.tag}`);
  await expect(freezeDdl(sides, journal.attempt('freeze-ddl'))).rejects.toMatchObject({ code: 'drift' });
  await bench.end();
});
