import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding } from '../../../activities/postgres/contract.ts';
import { makeBench, startPair, type Pair } from '../support.ts';
import { look, schema, setting, side, type Asked } from './look.ts';

let pair: Pair;
/** What is found where nothing is wrong. */
let sound: readonly Finding[];
beforeAll(async () => {
  pair = await startPair();
  const bench = await makeBench(pair, { schema });
  sound = (await look(bench)).findings;
  await bench.end();
}, 60_000);
afterAll(async () => await pair.stop());

interface Case {
  readonly check: string;
  readonly level: Finding['level'];
  /** A part of the evidence. */
  readonly says: string;
  readonly both?: string;
  readonly source?: string;
  readonly target?: string;
  readonly asked?: Asked;
  /** Run on the source in the end, for what outlives its database or holds up others. */
  readonly after?: string;
}

const earlier = {
  run: 'migration-cutover/orders/01',
  target: 'orders-18',
  at: '2026-11-20T10:00:00.000Z',
  server: { host: 'new', port: 5_432, dbname: 'orders' },
};

const firing = `
  CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp(); ALTER TABLE orders ENABLE ALWAYS TRIGGER stamp;
  CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
  CREATE TRIGGER stamp BEFORE INSERT ON days FOR EACH ROW EXECUTE FUNCTION stamp(); ALTER TABLE days_2 ENABLE REPLICA TRIGGER stamp;
  CREATE TRIGGER quiet BEFORE INSERT ON parcels FOR EACH ROW EXECUTE FUNCTION stamp();
  CREATE RULE always AS ON DELETE TO parcels DO ALSO NOTHING; ALTER TABLE parcels ENABLE ALWAYS RULE always;`;
/** Without a value: the database's own name. */
const databaseSetting = (name: string, value = ''): string =>
  `DO $$ BEGIN EXECUTE format('ALTER DATABASE %1$I SET ${name} = %2$L', current_database(), coalesce(nullif('${value}', ''), current_database())); END $$`;

const feed = `CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 port=1' PUBLICATION everything WITH (connect = false)`;
const withoutFeed = 'ALTER SUBSCRIPTION feed DISABLE; ALTER SUBSCRIPTION feed SET (slot_name = NONE); DROP SUBSCRIPTION feed';

const cases: readonly Case[] = [
  {
    check: 'connection limits',
    level: 'blocks',
    says: 'orders-new is closed to clients (CONNECTION LIMIT 0), and would be after the switch',
    asked: { facts: side('target', { connectionLimit: 0 }) },
  },
  { check: 'connection limits', level: 'warns', says: 'orders is closed', asked: { facts: side('source', { connectionLimit: 0 }) } },
  {
    check: 'connection limits',
    level: 'warns',
    says: 'orders was moved to orders-18 by migration-cutover/orders/01 and has been opened again since',
    asked: { move: earlier },
  },
  { check: 'replica identity', level: 'blocks', says: 'public.keyless', both: 'CREATE TABLE keyless (id int)' },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.nothing',
    both: 'CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING',
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.lost (the index of its REPLICA IDENTITY was dropped)',
    both: 'CREATE TABLE lost (id int NOT NULL); CREATE UNIQUE INDEX lost_id ON lost (id); ALTER TABLE lost REPLICA IDENTITY USING INDEX lost_id; DROP INDEX lost_id',
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.broken (the index of its identity is invalid)',
    both: "CREATE TABLE broken (id int NOT NULL); CREATE UNIQUE INDEX broken_id ON broken (id); ALTER TABLE broken REPLICA IDENTITY USING INDEX broken_id; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken_id'::regclass",
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.made (a column of its identity is generated',
    both: 'CREATE TABLE made (a int NOT NULL, id int GENERATED ALWAYS AS (a + 1) STORED PRIMARY KEY)',
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.days_1 (REPLICA IDENTITY NOTHING)',
    both: "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01'); ALTER TABLE days_1 REPLICA IDENTITY NOTHING",
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'another one than on the source, so the first UPDATE would stop the replication: public.two',
    both: 'CREATE TABLE two (a int NOT NULL UNIQUE, b int NOT NULL UNIQUE); ALTER TABLE two REPLICA IDENTITY USING INDEX two_a_key',
    target: 'ALTER TABLE two REPLICA IDENTITY USING INDEX two_b_key',
  },
  {
    check: 'replica identity full',
    level: 'warns',
    says: 'public.slow',
    both: 'CREATE TABLE slow (id int); ALTER TABLE slow REPLICA IDENTITY FULL',
  },
  {
    check: 'replica identity full',
    level: 'blocks',
    says: 'public.odd (place point)',
    both: 'CREATE TABLE odd (id int, place point); ALTER TABLE odd REPLICA IDENTITY FULL',
  },
  { check: 'unlogged tables', level: 'warns', says: 'public.cache', both: 'CREATE UNLOGGED TABLE cache (id int)' },
  {
    check: 'unlogged tables',
    level: 'blocks',
    says: 'public.cache',
    both: 'CREATE UNLOGGED TABLE cache (id int)',
    source: 'INSERT INTO cache VALUES (1)',
  },
  { check: 'large objects', level: 'blocks', says: '2 large objects', source: 'SELECT lo_create(0), lo_create(0)' },
  { check: 'empty target', level: 'blocks', says: 'public.orders', target: `INSERT INTO orders (note) VALUES ('seed')` },
  {
    check: 'row-level security',
    level: 'blocks',
    says: 'tables: public.theirs (pg_monitor) force row-level security on their owner, as whom orders-new applies changes',
    both: 'CREATE TABLE theirs (id int PRIMARY KEY); ALTER TABLE theirs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER TABLE theirs OWNER TO pg_monitor',
  },
  {
    check: 'owners of tables',
    level: 'blocks',
    says: 'far.ours (pg_monitor)',
    both: 'CREATE SCHEMA far; CREATE TABLE far.ours (id int PRIMARY KEY); GRANT CREATE ON SCHEMA far TO pg_monitor; ALTER TABLE far.ours OWNER TO pg_monitor',
  },
  {
    check: 'owners of tables',
    level: 'blocks',
    says: 'public.ours (pg_monitor)',
    both: 'CREATE TABLE ours (id int PRIMARY KEY); ALTER TABLE ours OWNER TO pg_monitor; REVOKE DELETE ON ours FROM pg_monitor',
  },
  {
    check: 'schema',
    level: 'blocks',
    says: 'sequences whose increment or limits differ: public.short',
    source: 'CREATE SEQUENCE short',
    target: 'CREATE SEQUENCE short MAXVALUE 100',
  },
  {
    check: 'other replication',
    level: 'warns',
    says: 'publications of the application on orders: their "own',
    source: 'CREATE PUBLICATION "their ""own" FOR ALL TABLES',
  },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.later',
    both: 'CREATE TABLE later (id int PRIMARY KEY DEFERRABLE)',
  },
  {
    check: 'triggers',
    level: 'blocks',
    says: 'stamp of "public"."days_2" (ENABLE REPLICA), stamp of "public"."orders" (ENABLE ALWAYS): what they write would come twice',
    both: firing,
  },
  {
    check: 'triggers',
    level: 'blocks',
    says: 'the event trigger log_ddl (ENABLE ALWAYS)',
    target: `CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER log_ddl ON ddl_command_end EXECUTE FUNCTION log_ddl(); ALTER EVENT TRIGGER log_ddl ENABLE ALWAYS`,
  },
  {
    check: 'triggers',
    level: 'informs',
    says: 'they are disabled there until the cutover',
    both: firing,
    asked: { triggers: 'hold' },
  },
  { check: 'kinds of tables', level: 'informs', says: 'public.parcels.n' },
  {
    check: 'prepared transactions',
    level: 'blocks',
    says: `'half done'`,
    source: `BEGIN; INSERT INTO orders (note) VALUES ('x'); PREPARE TRANSACTION 'half done'`,
  },
  { check: 'schema', level: 'blocks', says: 'tables that orders-new lacks: public.more', source: 'CREATE TABLE more (id int PRIMARY KEY)' },
  {
    check: 'schema',
    level: 'blocks',
    says: 'tables that only orders-new has: public.more',
    target: 'CREATE TABLE more (id int PRIMARY KEY)',
  },
  { check: 'schema', level: 'blocks', says: 'differ: public.orders', target: 'ALTER TABLE orders ALTER COLUMN note SET NOT NULL' },
  { check: 'schema', level: 'blocks', says: 'sequences that orders-new lacks: public.free', source: 'CREATE SEQUENCE free' },
  { check: 'schema', level: 'warns', says: 'view "public"."light"', source: 'CREATE VIEW light AS SELECT 1' },
  { check: 'schema', level: 'blocks', says: 'table "public"."orders"', asked: { way: 'copy' } },
  { check: 'tool-missing', level: 'blocks', says: 'needs pg_dump 16 or newer; found 15.', asked: { way: 'copy' } },
  { check: 'roles', level: 'blocks', says: 'only_source', source: 'CREATE ROLE only_source; GRANT SELECT ON orders TO only_source' },
  {
    check: 'settings of roles and database',
    level: 'warns',
    says: 'work_mem=7MB',
    source: `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database()); END $$`,
  },
  {
    check: 'other subscribers',
    level: 'blocks',
    says: 'slots: theirs (pgoutput)',
    source: `SELECT pg_create_logical_replication_slot('theirs', 'pgoutput')`,
    after: `SELECT pg_drop_replication_slot('theirs')`,
  },
  {
    check: 'writers without a login',
    level: 'blocks',
    says: 'the subscription "feed"',
    source: `${feed}; ALTER SUBSCRIPTION feed ENABLE`,
    after: withoutFeed,
  },
  { check: 'other replication', level: 'warns', says: 'disabled subscriptions on orders: feed', source: feed, after: withoutFeed },
  {
    check: 'writers without a login',
    level: 'blocks',
    says: 'writers: job 7 of pg_cron (nightly)',
    source: `CREATE SCHEMA cron; CREATE TABLE cron.job (jobid bigint PRIMARY KEY, jobname text, database text, active boolean);
      INSERT INTO cron.job VALUES (7, 'nightly', current_database(), true), (8, 'off', current_database(), false), (9, 'theirs', 'postgres', true);
      ${databaseSetting('cron.database_name')}`,
  },
  { check: 'superusers', level: 'warns', says: 'postgres from 127.0.0.1' },
  {
    check: 'superusers',
    level: 'blocks',
    says: 'no superuser',
    asked: { facts: (facts) => ({ ...facts, binding: { ...facts.binding, source: { ...facts.binding.source, superuser: false } } }) },
  },
  { check: 'direct clients', level: 'informs', says: 'the application' },
  { check: 'names', level: 'blocks', says: 'schema "steadyhand"', target: 'CREATE SCHEMA steadyhand' },
  { check: 'wal_level', level: 'blocks', says: 'replica', asked: { facts: setting('source', 'wal_level', 'replica') } },
  {
    check: 'slots and senders',
    level: 'blocks',
    says: 'max_replication_slots on orders is 0',
    asked: { facts: setting('source', 'max_replication_slots', '0') },
  },
  {
    check: 'slots and senders',
    level: 'warns',
    says: 'max_wal_senders on orders is 2',
    asked: { facts: setting('source', 'max_wal_senders', '2') },
  },
  {
    check: 'workers',
    level: 'blocks',
    says: 'max_active_replication_origins on orders-new is 0',
    asked: { facts: setting('target', 'max_active_replication_origins', '0') },
  },
  { check: 'max_connections', level: 'warns', says: '500', asked: { facts: setting('source', 'max_connections', '500') } },
  { check: 'primary', level: 'blocks', says: 'orders-new is a standby', asked: { facts: side('target', { inRecovery: true }) } },
  { check: 'versions', level: 'blocks', says: 'older than the source (19.1)', asked: { facts: side('source', { version: 190_001 }) } },
  { check: 'versions', level: 'blocks', says: '9.', asked: { facts: side('source', { version: 90_624 }) } },
  { check: 'encoding and collation', level: 'blocks', says: 'LATIN1', asked: { facts: side('target', { encoding: 'LATIN1' }) } },
  { check: 'encoding and collation', level: 'warns', says: 'de_DE', asked: { facts: side('target', { collate: 'de_DE' }) } },
  {
    check: 'extensions',
    level: 'blocks',
    says: 'unheard_of 1.0 is not available',
    asked: { facts: side('source', { extensions: [{ name: 'unheard_of', version: '1.0', schema: 'public' }] }) },
  },
  {
    check: 'extensions',
    level: 'blocks',
    says: 'plpgsql is 1.10',
    asked: { facts: side('source', { extensions: [{ name: 'plpgsql', version: '1.10', schema: 'pg_catalog' }] }) },
  },
];

test.each(cases)('$check $level: $says', async ({ check, level, says, both = '', source = '', target = '', asked = {}, after = '' }) => {
  const bench = await makeBench(pair, { schema: schema + both, sourceOnly: source });
  await bench.target.query(target);
  const { findings, failure } = await look(bench, asked);
  const found = findings.filter((one) => one.check === check && one.level === level && one.evidence.includes(says));
  expect(found, JSON.stringify(findings, null, 1)).toHaveLength(1);
  if (level === 'blocks') expect(sound).not.toContainEqual(found[0]);
  if (level === 'blocks') expect(failure?.message).toContain(found[0]?.fix);
  if (level !== 'informs') expect(found[0]?.fix).not.toBe('');
  await bench.source.query('ROLLBACK').catch(() => undefined);
  if (says.includes('half done')) await bench.source.query(`ROLLBACK PREPARED 'half done'`);
  await bench.source.query(after);
  if (source.includes('CREATE ROLE')) await bench.source.query('DROP OWNED BY only_source; DROP ROLE only_source');
  await bench.end();
});

test('a library whose setting lists the database blocks: its worker sleeps elsewhere most of the time', async () => {
  const bench = await makeBench(pair, { schema, sourceOnly: databaseSetting('session_preload_libraries', 'basebackup_to_shell') });
  const set = async (value: string): Promise<void> => {
    await bench.source.query("LOAD 'basebackup_to_shell'");
    await bench.source.query(`ALTER SYSTEM SET basebackup_to_shell.command = '${value}'`);
    await bench.source.query('SELECT pg_reload_conf()');
  };
  await set(`other, ${bench.dbname}`);
  const { findings } = await look(bench);
  await set('other');
  expect(findings.filter((one) => one.check === 'writers without a login')).toMatchObject([
    { level: 'blocks', evidence: expect.stringContaining('a library by its setting basebackup_to_shell.command') as string },
  ]);
  await bench.end();
});
