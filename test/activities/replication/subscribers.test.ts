import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sides } from '../../../activities/replication/side.ts';
import { carrySubscribers, dropCarried } from '../../../activities/replication/subscribers/carry.ts';
import * as commands from '../../../activities/replication/subscribers/commands.ts';
import { createJournal } from '../../support/attempt.ts';
import { forwardAt, loggedStatements, makeBench, startPair, undecided, unplanned, world, type Bench, type Pair } from '../support.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => await pair.stop());

const schema = `
  CREATE SCHEMA "Sch""ema'";
  CREATE TABLE "Sch""ema'"."ta ble" ("Id ""x" int PRIMARY KEY, note text, amount int);
  CREATE TABLE days (day date PRIMARY KEY) PARTITION BY RANGE (day);
  CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');`;

const publications = `
  CREATE PUBLICATION "all of 'it'" FOR ALL TABLES;
  CREATE PUBLICATION "a schema" FOR TABLES IN SCHEMA "Sch""ema'", TABLE days WITH (publish_via_partition_root = true);
  CREATE PUBLICATION narrowed FOR TABLE "Sch""ema'"."ta ble" ("Id ""x", amount) WHERE ("Id ""x" > 5) WITH (publish = 'insert, delete');
  CREATE PUBLICATION nothing;
  CREATE PUBLICATION there FOR TABLE days_1;`;

/** By the server's own view and in no other way than a subscriber asks it. */
async function published(client: pg.Client): Promise<unknown> {
  const { rows } = await client.query(
    `SELECT p.pubname, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot, t.schemaname, t.tablename, t.attnames::text[], t.rowfilter
       FROM pg_publication p LEFT JOIN pg_publication_tables t USING (pubname) ORDER BY 1, t.schemaname, t.tablename`,
  );
  return rows;
}

const slotsOf = async (client: pg.Client): Promise<unknown[]> =>
  (
    await client.query(
      'SELECT slot_name, plugin, two_phase FROM pg_replication_slots WHERE database = current_database() ORDER BY slot_name COLLATE "C"',
    )
  ).rows;

async function carrying(): Promise<{ bench: Bench; sides: Sides }> {
  const bench = await makeBench(pair, { schema, sourceOnly: publications });
  for (const [slot, twoPhase] of [
    [`${bench.dbname}_one`, false],
    [`${bench.dbname}_two`, true],
  ] as const)
    await bench.source.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput', false, $2)", [slot, twoPhase]);
  await bench.target.query('CREATE PUBLICATION there FOR TABLE days_1');
  const { migration, facts } = await bench.prepare({ otherSubscribers: 'carry' });
  return { bench, sides: { servers: bench.servers, migration, facts } };
}

test('publications of every form and slots come to the target, twice, as planned; the undo leaves what was there', async () => {
  const { bench, sides } = await carrying();
  const before = await world(bench.target);
  const journal = createJournal();
  for (const outcome of ['made', 'adopted']) {
    await carrySubscribers(sides, journal.attempt('carry-subscribers'));
    expect(journal.outcomes.get(`${journal.run}/carry-subscribers/1`)).toBe(outcome);
    expect(await slotsOf(bench.target)).toEqual(await slotsOf(bench.source));
    expect(await published(bench.target)).toEqual(await published(bench.source));
  }
  await expect(dropCarried(sides, forwardAt('0/1'), journal.attempt('carry-subscribers', { undo: true }))).rejects.toMatchObject({
    code: 'conflict',
  });
  for (let times = 0; times < 2; times += 1) {
    await dropCarried(sides, undecided, journal.attempt('carry-subscribers', { undo: true }));
    expect(await world(bench.target)).toEqual(before);
  }
  const { migration, facts } = sides;
  const planned = [...commands.carrySubscribers(migration, facts), ...commands.dropCarried(migration, facts)];
  const logged = await loggedStatements(pair.target, 'steadyhand carry-subscribers');
  expect(logged.length).toBeGreaterThan(5);
  expect(unplanned(logged, planned)).toEqual([]);
  await bench.end();
});

test('a slot of that name which was there before is left, and named', async () => {
  const { bench, sides } = await carrying();
  await bench.target.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [`${bench.dbname}_one`]);
  const journal = createJournal();
  const refused = carrySubscribers(sides, journal.attempt('carry-subscribers'));
  await expect(refused).rejects.toMatchObject({
    code: 'foreign-object',
    message: expect.stringContaining(`${bench.dbname}_one`) as string,
  });
  await dropCarried(sides, undecided, journal.attempt('carry-subscribers', { undo: true }));
  expect(await slotsOf(bench.target)).toHaveLength(1);
  await bench.end();
});
