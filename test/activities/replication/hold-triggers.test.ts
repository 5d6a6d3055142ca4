import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeMigrationFacts } from '../../../activities/replication/take-facts.ts';
import { holdTriggers, releaseTriggers } from '../../../activities/replication/hold-triggers.ts';
import { createJournal } from '../../support/attempt.ts';
import { forwardAt, makeBench, startPair, undecided, type Bench, type Pair } from '../support.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => await pair.stop());

const schema = `
  CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE "Lo""g" (at int PRIMARY KEY);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO "Lo""g" VALUES (NEW.id); RETURN NEW; END';
  CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO "Lo""g" SELECT 1000 + count(*) FROM "Lo""g"; END';
  CREATE TRIGGER "al ways" AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
  CREATE TRIGGER replica AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
  CREATE TRIGGER origin AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
  ALTER TABLE orders ENABLE ALWAYS TRIGGER "al ways"; ALTER TABLE orders ENABLE REPLICA TRIGGER replica;
  CREATE EVENT TRIGGER ddl ON ddl_command_end EXECUTE FUNCTION note_ddl(); ALTER EVENT TRIGGER ddl ENABLE REPLICA;`;

const modes = async ({ target }: Bench): Promise<unknown> =>
  (
    await target.query(`SELECT tgname::text AS name, tgenabled::text AS mode FROM pg_trigger WHERE NOT tgisinternal
                         UNION ALL SELECT evtname::text, evtenabled::text FROM pg_event_trigger ORDER BY 1`)
  ).rows.map((row: { name: string; mode: string }) => `${row.name} ${row.mode}`);

test('nothing fires for what is applied, the facts stay the same, and the undo brings each mode back', async () => {
  const bench = await makeBench(pair, { schema });
  const { migration, facts } = await bench.prepare({ triggers: 'hold' });
  const sides = { servers: bench.servers, migration, facts };
  const journal = createJournal();
  const before = await modes(bench);
  expect(before).toEqual(['al ways A', 'ddl R', 'origin O', 'replica R']);
  await releaseTriggers(sides, undecided, journal.attempt('hold-triggers', { undo: true }));

  expect(await holdTriggers(sides, journal.attempt('hold-triggers'))).toEqual({ triggers: 3 });
  expect(await holdTriggers(sides, journal.attempt('hold-triggers'))).toEqual({ triggers: 3 });
  expect(await modes(bench)).toEqual(['al ways D', 'ddl D', 'origin O', 'replica D']);
  await bench.target.query(
    'SET session_replication_role = replica; INSERT INTO orders VALUES (1); CREATE TABLE more (id int PRIMARY KEY); DROP TABLE more',
  );
  expect((await bench.target.query('SELECT FROM "Lo""g"')).rowCount).toBe(0);
  const again = await takeMigrationFacts(bench.servers)({
    database: 'orders',
    input: { target: 'orders-new' },
    run: journal.run,
    journal: journal.rows(),
    report: () => undefined,
  });
  expect(again.binding).toEqual(facts.binding);

  await expect(releaseTriggers(sides, forwardAt('0/1'), journal.attempt('hold-triggers', { undo: true }))).rejects.toMatchObject({
    code: 'conflict',
  });
  await releaseTriggers(sides, undecided, journal.attempt('hold-triggers', { undo: true }));
  await releaseTriggers(sides, undecided, journal.attempt('hold-triggers', { undo: true }));
  expect(await modes(bench)).toEqual(before);
  expect((await bench.target.query('SELECT FROM "Lo""g"')).rowCount).toBe(0);
  await bench.end();
});

test('a trigger that the plan does not know is drift, and nothing is disabled', async () => {
  const bench = await makeBench(pair, { schema });
  const { migration, facts } = await bench.prepare({ triggers: 'hold' });
  await bench.target.query('ALTER TABLE orders ENABLE ALWAYS TRIGGER origin');
  const journal = createJournal();
  await expect(holdTriggers({ servers: bench.servers, migration, facts }, journal.attempt('hold-triggers'))).rejects.toMatchObject({
    code: 'drift',
    message: expect.stringContaining('origin of "public"."orders" (ENABLE ALWAYS)') as string,
  });
  expect(await modes(bench)).toEqual(['al ways A', 'ddl R', 'origin A', 'replica R']);
  await bench.end();
});
