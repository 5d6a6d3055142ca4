import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import * as commands from '../../../activities/recovery/commands.ts';
import { takeOut } from '../../../activities/recovery/take-out.ts';
import { failureOf } from '../../control/support.ts';
import { inDatabase, loggedStatements, startPair, unplanned, type Pair } from '../support.ts';
import { aside, recoveryBench, values } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
  for (const side of [pair.source, pair.target]) await inDatabase(side, 'postgres', `CREATE ROLE careful LOGIN PASSWORD 'secret'`);
}, 60_000);
afterAll(async () => await pair.stop());

/** References that are checked at the end of the transaction, in a circle, with triggers on both tables. */
const schema = `CREATE TABLE parents (id int PRIMARY KEY, favourite int);
  CREATE TABLE items (id int PRIMARY KEY, parent int CONSTRAINT "its parent" REFERENCES parents DEFERRABLE INITIALLY DEFERRED, note text);
  ALTER TABLE parents ADD CONSTRAINT "its favourite" FOREIGN KEY (favourite) REFERENCES items DEFERRABLE INITIALLY DEFERRED;
  CREATE TABLE lines (id int PRIMARY KEY, item int CONSTRAINT "of an item" REFERENCES items DEFERRABLE INITIALLY DEFERRED);
  ALTER TABLE items OWNER TO careful; ALTER TABLE parents OWNER TO careful; ALTER TABLE lines OWNER TO careful;
  DO $$BEGIN EXECUTE format($f$GRANT CREATE ON DATABASE %I TO careful$f$, current_database()); END$$; GRANT CREATE ON SCHEMA public TO careful;
  INSERT INTO parents SELECT i, i FROM generate_series(1, 9) i; INSERT INTO items SELECT i, i, 'b' FROM generate_series(1, 9) i;
  INSERT INTO lines SELECT i, i FROM generate_series(1, 9) i; SET CONSTRAINTS ALL IMMEDIATE;
  CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.note = 'stamped'; RETURN NEW; END$$;
  CREATE TRIGGER stamp BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION stamp();
  CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
  CREATE TRIGGER nothing AFTER INSERT OR DELETE ON parents FOR EACH ROW EXECUTE FUNCTION nothing()`;
const [parents, items, lines] = ['parents', 'items', 'lines'].map((name) => ({ schema: 'public', name })) as [
  { schema: string; name: string },
  { schema: string; name: string },
  { schema: string; name: string },
];
const triggers = `SELECT string_agg(tgname || ' ' || tgenabled::text, ', ' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal`;
const deferred = `SELECT string_agg(conname || ' ' || condeferrable || ' ' || condeferred, ', ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f'`;

test.each([
  ['the superuser', '', 'nothing O, stamp O', ''],
  ['the owner of the tables', 'careful', 'nothing O, stamp O', ''],
  ['the superuser, with a trigger that always fires', '', 'nothing O, stamp A', 'ALTER TABLE items ENABLE ALWAYS TRIGGER stamp'],
])('rows come back and go again though their references are checked at the end, as %s', async (_, user, enabled, also) => {
  const bench = await recoveryBench(pair, { schema: `${schema}; ${also}`, since: 'TRUNCATE items, parents, lines', user });
  const before = await loggedStatements(pair.target, 'steadyhand bring-back');
  const [keys] = await values(bench.live, deferred);
  const { copying, journal } = await aside(bench, parents, items, lines);
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack: 27, notValidated: [] });
  expect(await values(bench.live, 'SELECT DISTINCT note FROM items')).toEqual(['b']);
  expect(await values(bench.live, triggers)).toEqual([enabled]);
  expect(await values(bench.live, deferred)).toEqual([keys]);
  const planned = [...commands.bringBack(copying.recovery, copying.facts), ...commands.takeOut(copying.recovery, copying.facts)];
  await bench.live.query('UPDATE parents SET favourite = NULL');
  await failureOf('drift', takeOut(copying, journal.attempt('bring-back', { undo: true })));
  expect(await values(bench.live, 'SELECT count(*)::int FROM lines')).toEqual([0]);
  expect(await values(bench.live, triggers)).toEqual([enabled]);
  const logged = (await loggedStatements(pair.target, 'steadyhand bring-back')).slice(before.length);
  expect(unplanned(logged, planned).filter((one) => !/^(SELECT what FROM|SET )/.test(one))).toEqual([]);
  await bench.end();
});

test('a table that comes back as a whole gets its foreign key beside rows whose references are checked at the end', async () => {
  const bench = await recoveryBench(pair, { schema, since: 'DROP TABLE lines; TRUNCATE items, parents', user: 'careful' });
  const { copying, journal } = await aside(bench, parents, items, lines);
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ tablesBack: 1, rowsBack: 27, notValidated: [] });
  expect(await values(bench.live, triggers)).toEqual(['nothing O, stamp O']);
  await bench.end();
});

test('a reference that is checked at the end and leads nowhere is named, before the commit', async () => {
  const bench = await recoveryBench(pair, { schema, since: 'TRUNCATE items, parents, lines', user: 'careful' });
  const { copying, journal } = await aside(bench, lines);
  const failure = await failureOf('reference-missing', bringBack(copying, journal.attempt('bring-back')));
  expect(failure.message).toContain('of an item');
  expect(await values(bench.live, 'SELECT count(*)::int FROM lines')).toEqual([0]);
  await bench.end();
});
