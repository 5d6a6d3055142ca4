import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding } from '../../../activities/postgres/contract.ts';
import { makeBench, startPair, type Pair } from '../support.ts';
import { look, schema, setting, side } from './look.ts';
import { rowCases, type Case } from './preflight-row-cases.ts';

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

const earlier = {
  run: 'migration-cutover/orders/01',
  target: 'orders-18',
  at: '2026-11-20T10:00:00.000Z',
  server: { host: 'new', port: 5_432, dbname: 'orders' },
};

/** Without a value: the database's own name. */
const databaseSetting = (name: string, value = ''): string =>
  `DO $$ BEGIN EXECUTE format('ALTER DATABASE %1$I SET ${name} = %2$L', current_database(), coalesce(nullif('${value}', ''), current_database())); END $$`;

const feed = `CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 port=1' PUBLICATION everything WITH (connect = false)`;
const withoutFeed = 'ALTER SUBSCRIPTION feed DISABLE; ALTER SUBSCRIPTION feed SET (slot_name = NONE); DROP SUBSCRIPTION feed';

const cases: readonly Case[] = [
  ...rowCases,
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
