import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import { removeAside } from '../../../activities/recovery/copy-aside.ts';
import { notes } from '../../../activities/recovery/commands.ts';
import { takeOut } from '../../../activities/recovery/take-out.ts';
import { inDatabase, startPair, world, type Pair } from '../support.ts';
import { aside, recoveryBench, values } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
  for (const side of [pair.source, pair.target]) await inDatabase(side, 'postgres', 'CREATE ROLE shop NOLOGIN; CREATE ROLE reader NOLOGIN');
}, 60_000);
afterAll(async () => await pair.stop());

const orders = { schema: 'public', name: 'orders' };

test('the sequences of a table come back with their rights, so the application writes as before', async () => {
  const schema = `CREATE TABLE orders (id bigserial PRIMARY KEY, number int GENERATED ALWAYS AS IDENTITY, note text);
    INSERT INTO orders (note) SELECT 'a' FROM generate_series(1, 5); GRANT INSERT, SELECT ON orders TO shop;
    GRANT USAGE ON SEQUENCE orders_id_seq TO shop; GRANT SELECT ON SEQUENCE orders_id_seq TO reader WITH GRANT OPTION;
    GRANT SELECT, UPDATE ON SEQUENCE orders_number_seq TO PUBLIC; REVOKE ALL ON SEQUENCE orders_number_seq FROM reader`;
  const rights = `SELECT c.relname || ': ' || string_agg(x::text, ' ' ORDER BY x::text COLLATE "C")
    FROM pg_class c, unnest(c.relacl) x WHERE c.relkind = 'S' GROUP BY c.relname ORDER BY 1`;
  const bench = await recoveryBench(pair, { schema, since: 'DROP TABLE orders' });
  const before = await world(bench.live);
  const { copying, journal } = await aside(bench, orders);
  await bringBack(copying, journal.attempt('bring-back'));
  expect(await values(bench.live, rights)).toEqual(await values(bench.restored, rights));
  await bench.live.query('SET ROLE shop');
  expect(await values(bench.live, `INSERT INTO orders (note) VALUES ('new') RETURNING id || ' ' || number`)).toEqual(['6 6']);
  await bench.live.query('RESET ROLE; DELETE FROM orders WHERE id = 6');
  await takeOut(copying, journal.attempt('bring-back', { undo: true }));
  await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
  expect(await world(bench.live)).toEqual(before);
  await bench.end();
});

test('all that went with a missing table and does not come back is told, however far it hung', async () => {
  const schema = `CREATE TABLE orders (id bigserial PRIMARY KEY, total numeric CHECK (total > 0), note text UNIQUE);
    CREATE INDEX ON orders (total); ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON orders USING (note <> 'x');
    CREATE STATISTICS of_orders ON id, total FROM orders; CREATE RULE quiet AS ON DELETE TO orders DO ALSO NOTHING;
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
    CREATE TRIGGER stamps BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
    CREATE TABLE lines (id int PRIMARY KEY, "order" bigint REFERENCES orders);
    CREATE VIEW seen AS SELECT id, total FROM orders; CREATE VIEW "seen Again" AS SELECT id FROM seen;
    CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM "seen Again"; CREATE INDEX ON sums (count);
    CREATE FUNCTION total_of(bigint) RETURNS numeric LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT o.total FROM orders o WHERE o.id = $1; END;
    CREATE FUNCTION label(orders) RETURNS text LANGUAGE sql AS $$SELECT $1.note$$;
    CREATE TABLE others (id bigint DEFAULT nextval('orders_id_seq'), kept orders, n int CONSTRAINT paid CHECK (total_of(n) > 0));
    CREATE INDEX of_totals ON others (total_of(id));
    ALTER TABLE others ENABLE ROW LEVEL SECURITY; CREATE POLICY known ON others USING (EXISTS (SELECT FROM orders o WHERE o.id = others.id));
    CREATE POLICY plain ON others USING (n > 0); CREATE RULE also AS ON INSERT TO others DO ALSO SELECT count(*) FROM orders;
    CREATE PUBLICATION feed FOR TABLE orders, others; CREATE PUBLICATION everything FOR ALL TABLES`;
  const bench = await recoveryBench(pair, { schema, since: 'DROP TABLE orders CASCADE' });
  const { copying, journal } = await aside(bench, orders);
  expect(copying.facts.notMade).toEqual([
    'column kept of table "public"."others"',
    'constraint paid on table "public"."others"',
    'default value for column id of table "public"."others"',
    'function "public"."label"("public"."orders")',
    'function "public"."total_of"(bigint)',
    'index "public"."of_totals"',
    'materialized view "public"."sums"',
    'place of table "public"."orders" in the publication "feed"',
    'policy known on table "public"."others"',
    'rule also on table "public"."others"',
    'view "public"."seen Again"',
    'view "public"."seen"',
  ]);
  expect(notes(copying.facts)).toContain(
    'the policy known on table "public"."others" hung on a table that is missing; it is not made again',
  );
  await bringBack(copying, journal.attempt('bring-back'));
  expect(await values(bench.live, `SELECT polname::text FROM pg_policy ORDER BY 1`)).toEqual(['own', 'plain']);
  await bench.end();
});

test('what comes back itself is not told: tables that hang on each other, partitions, foreign keys', async () => {
  const schema = `CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE orders_old () INHERITS (orders);
    CREATE TABLE days (day int, "order" int REFERENCES orders, PRIMARY KEY (day)) PARTITION BY RANGE (day);
    CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (1) TO (10); CREATE INDEX ON days ("order");
    CREATE TABLE notes (id int, day int REFERENCES days)`;
  const chosen = ['orders', 'orders_old', 'days'].map((name) => ({ schema: 'public', name }));
  const bench = await recoveryBench(pair, { schema, since: 'DROP TABLE orders CASCADE; DROP TABLE days CASCADE' });
  const { facts } = await bench.choose(...chosen);
  expect(facts.tables.map((one) => one.live)).toEqual(['missing', 'missing', 'missing', 'missing']);
  expect(facts.notMade).toEqual([]);
  await bench.end();
});
