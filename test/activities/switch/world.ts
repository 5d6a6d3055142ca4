import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { inspectMigration } from '../../../activities/postgres/inspect-migration.ts';
import { createServers, type Servers } from '../../../activities/postgres/session.ts';
import type { Migration } from '../../../activities/replication/contract.ts';
import type { MigrationFacts } from '../../../activities/replication/facts.ts';
import { readAlias } from '../../../activities/pooling/config-file.ts';
import { parseInventory, type Inventory } from '../../../domain/inventory.ts';
import { sandboxConfiguration } from '../../../sandbox/configuration.ts';
import { startPgBouncer, type PgBouncer } from '../../../sandbox/pgbouncer.ts';
import { createCluster, type Cluster } from '../../../sandbox/postgres.ts';
import { eventually } from '../../support/eventually.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';

/** Two clusters and a pooler, shared by the tests of a file; each test has databases and an alias of its own. */
export interface Machines {
  readonly source: Cluster;
  readonly target: Cluster;
  readonly pooler: PgBouncer;
  readonly appPassword: string;
  end(): Promise<void>;
}

const settings = {
  wal_level: 'logical',
  fsync: 'off',
  max_connections: 100,
  max_replication_slots: 20,
  max_wal_senders: 20,
  max_worker_processes: 40,
  max_logical_replication_workers: 20,
  shared_buffers: '64MB',
  autovacuum: 'off',
};

export async function startMachines(poolMode: 'transaction' | 'session' = 'transaction'): Promise<Machines> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-switch-'));
  await chmod(directory, 0o755);
  const endings: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const end = async (): Promise<void> => {
    for (const ending of endings.reverse()) await ending();
  };
  try {
    const [source, target] = await Promise.all([
      createCluster({ name: 'source', major: 16, directory: join(directory, 'source'), settings: { ...settings, log_statement: 'all' } }),
      createCluster({ name: 'target', major: 18, directory: join(directory, 'target'), settings: { ...settings, log_statement: 'all' } }),
    ]);
    endings.push(
      () => source.stop(),
      () => target.stop(),
    );
    const appPassword = randomBytes(9).toString('base64url');
    for (const cluster of [source, target]) await asAdmin(cluster, 'postgres', `CREATE ROLE app LOGIN PASSWORD '${appPassword}'`);
    const pooler = await startPgBouncer({
      directory: join(directory, 'pooler'),
      logFile: join(directory, 'pooler.log'),
      pidFile: join(directory, 'pooler.json'),
      databases: {},
      users: { app: appPassword },
      path: sandboxConfiguration().path,
      settings: { pool_mode: poolMode },
    });
    endings.push(() => pooler.stop());
    return { source, target, pooler, appPassword, end };
  } catch (error) {
    await end();
    throw error;
  }
}

export interface World {
  readonly dbname: string;
  readonly inventory: Inventory;
  /** Where the inventory's secrets are. */
  readonly environment: Record<string, string>;
  readonly servers: Servers;
  readonly migration: Migration;
  readonly facts: MigrationFacts;
  readonly journal: Journal;
  readonly deps: { servers: Servers; facts(digest: string): Promise<MigrationFacts> };
  source(text: string): Promise<Record<string, unknown>[]>;
  target(text: string): Promise<Record<string, unknown>[]>;
  /** What the application's clients use. */
  readonly application: pg.ClientConfig;
}

export interface WorldOptions {
  readonly pooler?: boolean;
  readonly pauseMs?: number;
  readonly rows?: number;
}

let worlds = 0;

/** A database pair in replication, every table copied, the target not closed yet; removed at the end of the test. */
export async function createWorld(machines: Machines, { pooler = true, pauseMs = 2_000, rows = 500 }: WorldOptions = {}): Promise<World> {
  worlds += 1;
  const dbname = `orders ${process.pid} ${worlds}`;
  const alias = `orders_${worlds}`;
  const { source, target } = machines;
  for (const cluster of [source, target]) {
    await asAdmin(cluster, 'postgres', `CREATE DATABASE "${dbname}"`);
    await asAdmin(cluster, dbname, schema);
  }
  await asAdmin(source, dbname, rowsOf(rows));
  if (pooler) await addToPooler(machines, alias, dbname);
  const journal = createJournal();
  const inventory = inventoryOf(machines, dbname, pooler ? alias : undefined);
  const environment = { SOURCE: source.password, TARGET: target.password, APP: machines.appPassword };
  const servers = createServers(() => inventory, environment);
  await replicate(machines, dbname, journal.tag);
  const address = await readAlias(machines.pooler.configFile, alias);
  const facts = await inspectMigration(servers, {
    source: 'orders',
    target: 'orders-next',
    tag: journal.tag,
    pooler: pooler && address ? { alias, ...address } : null,
  });
  const migration: Migration = {
    source: 'orders',
    target: 'orders-next',
    schema: 'already-there',
    facts: 'digest',
    limits: { lagBytes: 16_777_216, pauseMs, snapshotMs: 600_000 },
  };
  onTestFinished(() => remove(machines, dbname, journal.tag));
  return {
    dbname,
    inventory,
    environment,
    servers,
    migration,
    facts,
    journal,
    deps: { servers, facts: () => Promise.resolve(facts) },
    source: (text) => asAdmin(source, dbname, text),
    target: (text) => asAdmin(target, dbname, text),
    application: {
      host: '127.0.0.1',
      port: pooler ? machines.pooler.port : source.port,
      database: pooler ? alias : dbname,
      user: 'app',
      password: machines.appPassword,
    },
  };
}

/** What is left of the alias leads nowhere. */
async function remove({ source, target }: Machines, dbname: string, tag: string): Promise<void> {
  await asAdmin(target, dbname, `ALTER SUBSCRIPTION "${tag}" DISABLE`);
  await asAdmin(target, dbname, `ALTER SUBSCRIPTION "${tag}" SET (slot_name = NONE)`);
  await asAdmin(target, dbname, `DROP SUBSCRIPTION "${tag}"`);
  await eventually(async () => {
    await asAdmin(
      source,
      'postgres',
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${tag}' AND active`,
    );
    await asAdmin(source, 'postgres', `SELECT pg_drop_replication_slot('${tag}')`);
    return true;
  });
  for (const cluster of [source, target]) await asAdmin(cluster, 'postgres', `DROP DATABASE "${dbname}" WITH (FORCE)`);
}

export async function asAdmin(cluster: Cluster, database: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ host: cluster.host, port: cluster.port, user: cluster.superuser, password: cluster.password, database });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const answer: pg.QueryResult<Record<string, unknown>> | pg.QueryResult<Record<string, unknown>>[] = await client.query(text);
    return Array.isArray(answer) ? (answer.at(-1)?.rows ?? []) : answer.rows;
  } finally {
    await client.end();
  }
}

const schema = `
  CREATE TABLE writes (client int, n int, at timestamptz DEFAULT clock_timestamp(), PRIMARY KEY (client, n));
  CREATE TABLE orders (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, note text, doubled bigint GENERATED ALWAYS AS (id * 2) STORED);
  CREATE TABLE customers (code text PRIMARY KEY, name text);
  CREATE TABLE remarks (line text, amount numeric);
  ALTER TABLE remarks REPLICA IDENTITY FULL;
  CREATE TABLE kinds (id uuid PRIMARY KEY, f8 float8, f4 float4, num numeric, ts timestamptz, span interval, bin bytea, doc jsonb,
    raw json, list text[], cash money, ip inet, flag boolean, big text, reg regclass);
  CREATE TABLE "odd ""name" ("a key" int PRIMARY KEY, "it's" text);
  CREATE SEQUENCE tickets INCREMENT 5 START 100;
  CREATE SEQUENCE countdown INCREMENT -1 MAXVALUE 1000 START 1000;
  GRANT USAGE ON SCHEMA public TO app;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
  GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO app;`;

function rowsOf(rows: number): string {
  return `
    INSERT INTO orders (note) SELECT 'note ' || g FROM generate_series(1, ${rows}) g;
    INSERT INTO customers SELECT 'c' || g, CASE WHEN g % 3 = 0 THEN NULL WHEN g % 3 = 1 THEN '' ELSE 'ü, "' || g END FROM generate_series(1, ${rows}) g;
    INSERT INTO remarks SELECT 'same', g % 3 FROM generate_series(1, 30) g;
    INSERT INTO kinds SELECT md5(g::text)::uuid, g / 7.0, g / 3.0, g / 9.0, now() - g * interval '1 hour', g * interval '37 minutes',
      decode(md5(g::text), 'hex'), jsonb_build_object('g', g, 'a', 1.50), '{"b": 1,   "a": 2}', ARRAY['x', NULL, 'y' || g], g::numeric::money,
      '10.0.0.1', g % 2 = 0, repeat(md5(g::text), 100), 'pg_class'::regclass FROM generate_series(1, 50) g;
    INSERT INTO "odd ""name" SELECT g, 'it''s \\ ' || g FROM generate_series(1, 20) g;
    SELECT nextval('tickets'), nextval('tickets'), nextval('countdown');`;
}

async function addToPooler(machines: Machines, alias: string, dbname: string): Promise<void> {
  const { configFile } = machines.pooler;
  const line = `${alias} = host=127.0.0.1 port=${machines.source.port} dbname='${dbname}' pool_size=10`;
  await writeFile(configFile, (await readFile(configFile, 'utf8')).replace('[databases]\n', `[databases]\n${line}\n`));
  await poolerConsole(machines, 'RELOAD');
}

export async function poolerConsole(machines: Machines, text: string): Promise<Record<string, unknown>[]> {
  const password = (await readFile(machines.pooler.adminPasswordFile, 'utf8')).trim();
  const client = new pg.Client({
    host: '127.0.0.1',
    port: machines.pooler.port,
    database: 'pgbouncer',
    user: machines.pooler.adminUser,
    password,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function inventoryOf(machines: Machines, dbname: string, alias: string | undefined): Inventory {
  const { source, target, pooler } = machines;
  const server = (cluster: Cluster, secret: string): object => ({
    provider: 'streaming',
    owners: 'team',
    server: { host: cluster.host, port: cluster.port, dbname, user: cluster.superuser, secret: { env: secret }, sslmode: 'disable' },
  });
  const admin = { user: pooler.adminUser, secret: { file: pooler.adminPasswordFile } };
  const pooling = alias !== undefined && {
    pooler: {
      kind: 'pgbouncer',
      host: '127.0.0.1',
      port: pooler.port,
      alias,
      admin,
      configFile: pooler.configFile,
      users: [{ name: 'app', secret: { env: 'APP' } }],
    },
  };
  return parseInventory(
    JSON.stringify({
      version: 1,
      people: [{ name: 'ada', groups: ['team'] }],
      databases: { orders: { ...server(source, 'SOURCE'), ...pooling }, 'orders-next': server(target, 'TARGET') },
      policies: { default: { requesters: ['team'], operators: ['team'], approvals: { low: 'auto', medium: 'auto', high: 'auto' } } },
    }),
    'test',
  );
}

async function replicate(machines: Machines, dbname: string, tag: string): Promise<void> {
  const { source, target } = machines;
  const marker = `CREATE SCHEMA steadyhand; CREATE TABLE steadyhand.marker (run text, attempt int, token text PRIMARY KEY, at timestamptz)`;
  for (const cluster of [source, target]) await asAdmin(cluster, dbname, marker);
  await asAdmin(source, dbname, `CREATE PUBLICATION "${tag}" FOR ALL TABLES`);
  await asAdmin(source, dbname, `SELECT pg_create_logical_replication_slot('${tag}', 'pgoutput')`);
  const conninfo = `host=127.0.0.1 port=${source.port} user=${source.superuser} password=${source.password} dbname=''${dbname}''`;
  await asAdmin(
    target,
    dbname,
    `CREATE SUBSCRIPTION "${tag}" CONNECTION '${conninfo}' PUBLICATION "${tag}" WITH (create_slot = false, slot_name = '${tag}', disable_on_error = true)`,
  );
  await eventually(async () => {
    const [row] = await asAdmin(target, dbname, `SELECT bool_and(srsubstate = 'r') AS ready FROM pg_subscription_rel`);
    return row?.ready === true || undefined;
  });
}
