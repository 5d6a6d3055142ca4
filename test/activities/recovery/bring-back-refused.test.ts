import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import { notes } from '../../../activities/recovery/commands.ts';
import { removeAside } from '../../../activities/recovery/copy-aside.ts';
import { takeCopyFacts } from '../../../activities/recovery/take-copy-facts.ts';
import { takeOut } from '../../../activities/recovery/take-out.ts';
import { taggedObjects } from '../../../activities/replication/tagged-objects.ts';
import { failureOf } from '../../control/support.ts';
import { inDatabase, startPair, type Pair } from '../support.ts';
import { aside, recoveryBench, values } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
  for (const side of [pair.source, pair.target]) await inDatabase(side, 'postgres', `CREATE ROLE careful LOGIN PASSWORD 'secret'`);
}, 60_000);
afterAll(async () => await pair.stop());

test.each([
  ['a condition that leaves its parentheses', `true) TO PROGRAM 'touch /tmp/x' --`],
  ['a second statement', `id = 1; DROP TABLE customers`],
  ['an open quote', `note = 'x`],
  ['parentheses the wrong way round', `id = 1) OR (true`],
  ['a comment', `id = 1 /* */`],
  ['a variable of ours', `id = :tag`],
])('%s is refused', async (_, where) => {
  const bench = await recoveryBench(pair, { schema: 'CREATE TABLE customers (id int PRIMARY KEY)' });
  await failureOf('input-invalid', bench.choose({ schema: 'public', name: 'customers', where }));
  await bench.end();
});

test.each([
  ['no such table', '', 'has no table'],
  ['no primary key', 'CREATE TABLE t (id int)', 'has no primary key'],
  ['another type', 'CREATE TABLE t (id bigint PRIMARY KEY)', 'have another type'],
  ['a new column without a value', 'CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)', 'needs values'],
  ['a deferrable primary key', 'CREATE TABLE t (id int PRIMARY KEY DEFERRABLE)', 'may be checked later: t_pkey'],
  ['a deferrable unique key', 'CREATE TABLE t (id int PRIMARY KEY, n int CONSTRAINT one UNIQUE DEFERRABLE)', 'may be checked later: one'],
  [
    'a deferrable exclusion',
    'CREATE TABLE t (id int PRIMARY KEY, r int4range, CONSTRAINT apart EXCLUDE USING gist (r WITH &&) INITIALLY DEFERRED)',
    'may be checked later: apart',
  ],
  ['a rule', 'CREATE TABLE t (id int PRIMARY KEY); CREATE RULE also AS ON INSERT TO t DO INSTEAD NOTHING', 'has rules'],
  ['a rule of updates', 'CREATE TABLE t (id int PRIMARY KEY); CREATE RULE also AS ON UPDATE TO t DO ALSO NOTHING', 'has rules'],
])('%s is no plan', async (_, table, message) => {
  const bench = await recoveryBench(pair, { since: table });
  if (table !== '') await bench.restored.query('CREATE TABLE t (id int PRIMARY KEY)');
  const failure = await failureOf('plan-impossible', bench.choose({ schema: 'public', name: 't' }));
  expect(failure.message).toContain(message);
  await bench.end();
});

test('what stands against each of several tables is said at once', async () => {
  const bench = await recoveryBench(pair, { since: 'CREATE TABLE keyless (id int); CREATE TABLE typed (id bigint PRIMARY KEY)' });
  await bench.restored.query('CREATE TABLE keyless (id int PRIMARY KEY); CREATE TABLE typed (id int PRIMARY KEY)');
  const names = ['keyless', 'typed', 'nowhere'].map((name) => ({ schema: 'public', name }));
  const { message } = await failureOf('plan-impossible', bench.choose(...names));
  expect(message.split('\n').map((line) => line.slice(0, 60))).toEqual([
    '3 findings block the run:',
    expect.stringContaining('has no table "public"."nowhere"'),
    expect.stringContaining('"public"."keyless" has no primary key'),
    expect.stringContaining('columns of "public"."typed" have another type'),
  ]);
  await bench.end();
});

test('two addresses of one server are noticed', async () => {
  const bench = await recoveryBench(pair, {});
  const { host, port } = pair.target;
  await failureOf('identity-changed', takeCopyFacts(bench.servers, { database: 'orders', restored: { host, port } }, []));
  await bench.end();
});

test('without the right to pass triggers they are switched off by name; as owner of the tables alone', async () => {
  const schema = `CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents SELECT generate_series(1, 9);
    CREATE TABLE items (id int PRIMARY KEY, parent int REFERENCES parents, note text DEFAULT 'a', child int REFERENCES items);
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.note = 'stamped'; RETURN NEW; END$$;
    INSERT INTO items SELECT i, i, 'b', nullif(i - 1, 0) FROM generate_series(1, 9) i;
    CREATE TRIGGER a BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION stamp();
    ALTER TABLE items OWNER TO careful; ALTER TABLE parents OWNER TO careful`;
  const items = { schema: 'public', name: 'items' };
  for (const user of ['', 'careful']) {
    const bench = await recoveryBench(pair, { schema, since: 'DELETE FROM items', user });
    await bench.live.query('DO $$BEGIN EXECUTE format($f$GRANT CREATE ON DATABASE %I TO careful$f$, current_database()); END$$');
    const { copying, journal } = await aside(bench, items);
    expect(notes(copying.facts).join()).toMatch(user === '' ? /^$/ : /switched off by name \(this role may not/);
    expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack: 9 });
    expect(await values(bench.live, 'SELECT DISTINCT note FROM items')).toEqual(['b']);
    expect(await values(bench.live, `SELECT tgenabled FROM pg_trigger WHERE tgname = 'a'`)).toEqual(['O']);
    await bench.live.query('INSERT INTO items VALUES (100, 1, NULL, 5)');
    await failureOf('drift', takeOut(copying, journal.attempt('bring-back', { undo: true })));
    expect(await values(bench.live, 'SELECT count(*)::int FROM items')).toEqual([10]);
    await bench.end();
  }
});

test('what somebody hung on the side schema stays, with all of it', async () => {
  const bench = await recoveryBench(pair, { schema: 'CREATE TABLE t (id int PRIMARY KEY)', since: 'DROP TABLE t' });
  const { copying, journal } = await aside(bench, { schema: 'public', name: 't' });
  const left = await taggedObjects(bench.servers, 'orders');
  const told = left.objects
    .map(({ kind, name, tag }) => ({ kind, name, tag }))
    .toSorted((one, other) => one.name.length - other.name.length);
  expect(told).toEqual([journal.tag, `${journal.tag}_journal`].map((name) => ({ kind: 'side schema', name, tag: journal.tag })));
  await bench.live.query(`CREATE VIEW mine AS SELECT * FROM "${journal.tag}".t`);
  await failureOf('foreign-object', removeAside(copying, journal.attempt('copy-aside', { undo: true })));
  expect(await values(bench.live, 'SELECT count(*)::int FROM mine')).toEqual([0]);
  await bench.live.query('DROP VIEW mine');
  await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
  expect(await values(bench.live, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'steadyhand%'`)).toEqual([]);
  await bench.end();
});

test('tables that refer to each other in a circle come back together; alone they are refused', async () => {
  const schema = `CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
    INSERT INTO a SELECT i, i FROM generate_series(1, 10) i; INSERT INTO b SELECT i, i FROM generate_series(1, 10) i; ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b`;
  const [a, b] = ['a', 'b'].map((name) => ({ schema: 'public', name }));
  if (!a || !b) throw new Error('two tables');
  const bench = await recoveryBench(pair, { schema, since: 'TRUNCATE a, b' });
  const alone = await aside(bench, a);
  await failureOf('reference-missing', bringBack(alone.copying, alone.journal.attempt('bring-back')));
  const both = await aside(bench, a, b);
  expect(await bringBack(both.copying, both.journal.attempt('bring-back'))).toMatchObject({ rowsBack: 20 });
  expect(await values(bench.live, 'SELECT count(*)::int FROM a JOIN b ON b.id = a.b AND a.id = b.a')).toEqual([10]);
  await bench.end();
});
