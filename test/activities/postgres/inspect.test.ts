import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectMigration } from '../../../activities/postgres/inspect-migration.ts';
import { objectsOf } from '../../../activities/postgres/objects-of.ts';
import { freezeDdl } from '../../../activities/replication/freeze-ddl.ts';
import { publish } from '../../../activities/replication/publish.ts';
import { createJournal } from '../../support/attempt.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { inDatabase, makeBench, startPair, type Bench, type Pair } from '../support.ts';

/** Three versions: the oldest server that there is, and the two embedded ones. */
let older: Pair;
let pair: Pair;
beforeAll(async () => {
  [older, pair] = await Promise.all([
    startPair(postgres15 === undefined ? { major: 16 } : { bin: postgres15 }, { major: 18 }),
    startPair(),
  ]);
}, 60_000);
afterAll(async () => await Promise.all([older.stop(), pair.stop()]));

const everything = `
  CREATE SCHEMA shop; CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN "Price €" AS numeric CHECK (VALUE >= 0);
  CREATE FUNCTION shop.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
  CREATE TABLE shop.customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "system_user" text NOT NULL DEFAULT CURRENT_USER COLLATE "C",
    state mood DEFAULT 'good', price "Price €", twice int GENERATED ALWAYS AS (1 + 1) STORED, since timestamptz DEFAULT now(),
    CHECK (price > 0 AND "system_user" <> ALL (ARRAY['root', 'nobody'])), UNIQUE (since, state), EXCLUDE USING btree (price WITH =));
  CREATE TABLE shop.orders (id serial PRIMARY KEY, customer bigint REFERENCES shop.customers ON DELETE CASCADE DEFERRABLE, note text, at date DEFAULT '2026-01-01');
  CREATE INDEX "an index ON it" ON shop.orders (lower(note), shop.twice(id) DESC NULLS LAST) INCLUDE (at) WHERE note IS NOT NULL;
  CREATE TABLE days (day date NOT NULL, n int NOT NULL) PARTITION BY RANGE (day);
  CREATE TABLE days_1 PARTITION OF days (PRIMARY KEY (day)) FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE UNLOGGED TABLE cache (k text PRIMARY KEY); CREATE TABLE keyless (a int, b int); ALTER TABLE keyless REPLICA IDENTITY FULL;
  CREATE TABLE indexed (a int NOT NULL, b int); CREATE UNIQUE INDEX indexed_a ON indexed (a); ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_a;
  CREATE VIEW shop.light AS SELECT id FROM shop.orders; CREATE MATERIALIZED VIEW heavy AS SELECT count(*) FROM shop.orders;
  CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER stamp BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION stamp();
  ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY; ALTER TABLE shop.orders FORCE ROW LEVEL SECURITY; CREATE POLICY mine ON shop.orders USING (true);
  CREATE SEQUENCE falling INCREMENT -5 MINVALUE -100 MAXVALUE -1 START -1; CREATE EXTENSION IF NOT EXISTS plpgsql;`;

const look = async (bench: Bench, tag?: string) =>
  (await inspectMigration(bench.servers, { source: 'orders', target: 'orders-new', ...(tag === undefined ? {} : { tag }) })).binding;

test('the same schema has the same shapes and objects on 15, 16 and 18', async () => {
  const sides = [];
  for (const one of [older, pair]) {
    const bench = await makeBench(one, { schema: everything });
    const { source, target } = await look(bench);
    sides.push(source, target);
    await bench.end();
  }
  expect(sides.map((side) => Math.floor(side.version / 10_000))).toEqual([15, 18, 16, 18]);
  const [first, ...others] = sides;
  expect(first?.tables).toHaveLength(6);
  for (const side of others) {
    expect(side.tables).toEqual(first?.tables);
    expect(side.otherObjects).toEqual(first?.otherObjects);
    expect(side.sequences).toEqual(first?.sequences);
  }
  expect(first?.otherObjects).toEqual([
    'domain "public"."Price €"',
    'function "public"."stamp"()',
    'function "shop"."twice"(integer)',
    'partitioned table "public"."days"',
    'policy "mine" on "shop"."orders"',
    'trigger "stamp" on "shop"."orders"',
    'type "public"."mood"',
    'view "shop"."light"',
  ]);
  const table = (name: string) => first?.tables.find((one) => one.name === name);
  expect(table('customers')?.columns.map((one) => one.name)).toEqual(['id', 'system_user', 'state', 'price', 'since']);
  expect(table('keyless')).toMatchObject({ replicaIdentity: 'f', primaryKey: [], key: [] });
  expect(table('indexed')).toMatchObject({ replicaIdentity: 'i', primaryKey: [], key: ['a'] });
  expect(table('cache')).toMatchObject({ persistence: 'unlogged', key: ['k'] });
  expect(table('orders')).toMatchObject({ rowSecurity: 'forced' });
  expect(first?.sequences.find((one) => one.name === 'falling')).toEqual({
    schema: 'public',
    name: 'falling',
    extension: null,
    increment: '-5',
    min: '-100',
    max: '-1',
  });
  expect(first?.schemas).toEqual(['public', 'shop']);
});

test('every change of a table shows in its shape', async () => {
  const bench = await makeBench(pair, { schema: everything });
  const shape = async (): Promise<string | undefined> => (await look(bench)).source.tables.find((one) => one.name === 'orders')?.shape;
  const seen = [await shape()];
  for (const change of [
    'ALTER COLUMN note SET NOT NULL',
    `ALTER COLUMN at SET DEFAULT '2027-01-01'`,
    'ALTER COLUMN at TYPE timestamptz',
    'ADD CHECK (id > 0)',
    'DROP CONSTRAINT orders_customer_fkey',
    'ADD COLUMN more int',
    'REPLICA IDENTITY FULL',
  ]) {
    await bench.source.query(`ALTER TABLE shop.orders ${change}`);
    seen.push(await shape());
  }
  await bench.source.query('CREATE INDEX ON shop.orders (at)');
  seen.push(await shape());
  expect(new Set(seen).size).toBe(seen.length);
  await bench.source.query('ALTER INDEX shop.orders_at_idx RENAME TO renamed');
  expect(await shape()).toBe(seen.at(-1));
  await bench.end();
});

test('what the run makes itself never stands in the facts', async () => {
  const bench = await makeBench(pair, { schema: everything });
  await bench.source.query('ALTER TABLE keyless REPLICA IDENTITY FULL');
  const { migration, facts } = await bench.prepare();
  expect(await look(bench)).toEqual(facts.binding);
  const journal = createJournal();
  const sides = { servers: bench.servers, migration, facts };
  await freezeDdl(sides, journal.attempt('freeze-ddl'));
  await publish(sides, journal.attempt('publish'));
  expect(await look(bench, journal.tag)).toEqual(facts.binding);
  await inDatabase(pair.target, 'postgres', `ALTER DATABASE "${bench.dbname}" CONNECTION LIMIT 0`);
  const closed = await inspectMigration(bench.servers, {
    source: 'orders',
    target: 'orders-new',
    before: { target: { connectionLimit: -1 } },
  });
  expect(closed.binding).toEqual(facts.binding);
  expect((await look(bench)).target.connectionLimit).toBe(0);
  await bench.end();
});

test('what the copy made stands in the facts of the target for others, not for its run', async () => {
  const bench = await makeBench(pair, { sourceOnly: everything });
  const empty = await look(bench);
  await bench.target.query(everything);
  const full = await look(bench);
  const own = objectsOf(full.target).filter((one) => !objectsOf(empty.target).includes(one));
  const seen = await inspectMigration(bench.servers, { source: 'orders', target: 'orders-new', ownObjects: own });
  expect(seen.binding).toEqual(empty);
  expect(full.target).not.toEqual(empty.target);
  await bench.end();
});

test('sizes, rows and the longest transaction are observed', async () => {
  const bench = await makeBench(pair, {
    schema: everything,
    sourceOnly: `INSERT INTO keyless SELECT i, i FROM generate_series(1, 5000) i; ANALYZE keyless`,
  });
  await bench.source.query('BEGIN; SELECT 1');
  const { observed } = await inspectMigration(bench.servers, { source: 'orders', target: 'orders-new' });
  await bench.source.query('ROLLBACK');
  expect(observed.tables.find((one) => one.name === 'keyless')).toMatchObject({ rows: 5_000 });
  expect(observed.sourceBytes).toBeGreaterThan(100_000);
  expect([observed.sourceRows >= 5_000, observed.targetRows, observed.lagBytes]).toEqual([true, 0, null]);
  expect(observed.longestTransactionMs).toBeGreaterThan(0);
  await bench.end();
});
