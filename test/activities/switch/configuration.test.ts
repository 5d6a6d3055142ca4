import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failure } from '../../../domain/failure.ts';
import { withFault } from './faults.ts';
import { startMachines, type Machines } from './machines.ts';
import { failureOf, ready } from './ready.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

/** What CREATE EXTENSION does with an extension's tables, for one that every server has. `jobs` refers to what comes after it. */
const schema = `
  CREATE TABLE settings (name text PRIMARY KEY, builtin boolean NOT NULL DEFAULT false);
  INSERT INTO settings VALUES ('made by the extension', true);
  CREATE TABLE jobs (id bigserial PRIMARY KEY, setting text REFERENCES settings DEFERRABLE INITIALLY DEFERRED, "li:ne" text,
                     twice int GENERATED ALWAYS AS (2) STORED);
  CREATE TABLE fired (id bigint);
  CREATE TABLE uses (id int PRIMARY KEY, job bigint REFERENCES jobs ON DELETE CASCADE);
  CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO fired VALUES (NEW.id); RETURN NEW; END';
  CREATE TRIGGER fire AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION fire();
  ALTER EXTENSION plpgsql ADD TABLE settings; ALTER EXTENSION plpgsql ADD TABLE jobs; ALTER EXTENSION plpgsql ADD TABLE fired;
  ALTER EXTENSION plpgsql ADD SEQUENCE jobs_id_seq;
  UPDATE pg_extension SET extconfig = ARRAY['jobs'::regclass, 'settings', 'jobs_id_seq'], extcondition = ARRAY['', 'WHERE NOT builtin', '']
   WHERE extname = 'plpgsql';`;
const rows = `INSERT INTO settings VALUES ('ours'); INSERT INTO jobs (setting, "li:ne") SELECT 'ours', E'line\\n\\t' || i FROM generate_series(1, 20) i;
  INSERT INTO uses VALUES (1, 7), (2, 9)`;
const jobs = 'SELECT jobs::text AS one FROM jobs ORDER BY id';

test('rows of extension configuration and their sequences come with the switch, as they are then', async () => {
  const { world, switchOver } = await ready(machines, { schema, sourceSchema: rows });
  expect(world.facts.binding.source.configuration.map((one) => one.name)).toEqual(['settings', 'jobs']);
  expect(await world.target(jobs)).toEqual([]);
  await world.source(`DELETE FROM jobs WHERE id = 3; INSERT INTO jobs (setting) VALUES ('ours')`);
  const { parts } = await switchOver();
  expect(parts.map((one) => one.part)).toContain('extension rows');
  expect(await world.target(jobs)).toEqual(await world.source(jobs));
  expect(await world.target('SELECT name FROM settings ORDER BY 1')).toEqual([{ name: 'made by the extension' }, { name: 'ours' }]);
  expect(await world.target('SELECT count(*)::int AS n FROM fired')).toEqual([{ n: 20 }]);
  expect(await world.target(`INSERT INTO jobs (setting) VALUES ('ours') RETURNING id`)).toEqual([{ id: '22' }]);
});

test('a switch that is given up, or taken back, leaves none of them on the target; the next one brings them', async () => {
  const { world, activities, switchOver } = await ready(machines, { schema, sourceSchema: rows });
  const broken = withFault(world.servers, 'orders-next', 'pg_export_snapshot', new Failure('server-error', 'no disk'));
  expect((await failureOf(switchOver(broken))).code).toBe('switch-abandoned');
  const left =
    'SELECT (SELECT count(*) FROM jobs)::int AS jobs, (SELECT count(*) FROM settings)::int AS settings, (SELECT count(*) FROM uses)::int AS uses';
  expect(await world.target(left)).toEqual([{ jobs: 0, settings: 1, uses: 2 }]);
  await world.target(`INSERT INTO settings VALUES ('ours')`);
  await activities.switchBack(world.migration, world.journal.attempt('switch', { undo: true }));
  expect(await world.target(left)).toEqual([{ jobs: 0, settings: 1, uses: 2 }]);
  await switchOver();
  expect(await world.target(left)).toEqual([{ jobs: 20, settings: 2, uses: 2 }]);
});

test('what the target does not take, or holds already, is found out before anybody is held up', async () => {
  const { world, switchOver } = await ready(machines, { schema, sourceSchema: rows });
  await world.target(`INSERT INTO settings VALUES ('theirs')`);
  expect(await failureOf(switchOver())).toMatchObject({ code: 'drift', message: expect.stringContaining('public.settings') as string });
  expect(await world.target('SELECT name FROM settings WHERE NOT builtin')).toEqual([{ name: 'theirs' }]);
  await world.target('DELETE FROM settings WHERE NOT builtin');
  await world.target(`ALTER TABLE settings ADD CHECK (name <> 'ours')`);
  const failure = await failureOf(switchOver());
  expect(failure.code).not.toBe('switch-abandoned');
  expect(failure.message).toContain('violates check constraint');
  expect(await world.source(`INSERT INTO orders (note) VALUES ('nobody was held') RETURNING 1 AS one`)).toEqual([{ one: 1 }]);
});
