import type { Intent } from '../../../control/contract.ts';
import { readFile, writeFile } from 'node:fs/promises';
import type pg from 'pg';
import { onTestFinished } from 'vitest';
import { inspectMigration } from '../../../activities/postgres/inspect-migration.ts';
import { createServers, type Servers } from '../../../activities/postgres/session.ts';
import type { Migration } from '../../../activities/replication/contract.ts';
import type { MigrationFacts } from '../../../activities/replication/facts.ts';
import { readAlias } from '../../../activities/pooling/config-file.ts';
import { parseInventory, type Inventory } from '../../../domain/inventory.ts';
import type { PgBouncer } from '../../../sandbox/pgbouncer.ts';
import type { Cluster } from '../../../sandbox/postgres.ts';
import { eventually } from '../../support/eventually.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';
import { pooled } from '../../support/pooled.ts';
import { asAdmin, poolerConsole, poolerOf, template, type Machines } from './machines.ts';

export interface World {
  readonly dbname: string;
  readonly inventory: Inventory;
  /** Where the inventory's secrets are. */
  readonly environment: Record<string, string>;
  readonly servers: Servers;
  readonly migration: Migration;
  readonly facts: MigrationFacts;
  readonly journal: Journal;
  readonly deps: {
    servers: Servers;
    facts(digest: string): Promise<MigrationFacts>;
    journal(run: string): Promise<Intent[]>;
    journalOf(tag: string): Promise<Intent[]>;
  };
  source(text: string): Promise<Record<string, unknown>[]>;
  target(text: string): Promise<Record<string, unknown>[]>;
  /** What the application's clients use, one after the other: the pooler, or without one the source and then the target. */
  readonly ways: readonly [pg.ClientConfig, ...pg.ClientConfig[]];
}

export interface WorldOptions {
  /** Default: where there is one. */
  readonly pooler?: boolean;
  /** Default `transaction`. */
  readonly poolMode?: 'session';
  readonly pauseMs?: number;
  readonly rows?: number;
  /** More than the template has, on both sides; and then on the source alone. */
  readonly schema?: string;
  readonly sourceSchema?: string;
}

let worlds = 0;
const journals = new Map<string, Journal>();

/** A database pair in replication, every table copied, the target not closed yet; removed at the end of the test. */
export async function createWorld(machines: Machines, options: WorldOptions = {}): Promise<World> {
  const { pooler: viaPooler = pooled, poolMode, pauseMs = 2_000, rows = 500, schema = '', sourceSchema = '' } = options;
  worlds += 1;
  const dbname = `orders ${process.pid} ${worlds}`;
  const alias = `orders_${worlds}`;
  const { source, target } = machines;
  const create = `CREATE DATABASE "${dbname}" TEMPLATE ${template} STRATEGY file_copy`;
  await Promise.all([source, target].map((cluster) => asAdmin(cluster, 'postgres', create)));
  await Promise.all([source, target].map((cluster) => asAdmin(cluster, dbname, schema)));
  await asAdmin(source, dbname, rowsOf(rows) + sourceSchema);
  const pooler = viaPooler ? poolerOf(machines) : null;
  if (pooler) await addToPooler(machines, alias, dbname, poolMode);
  const journal = createJournal();
  journals.set(journal.tag, journal);
  const inventory = inventoryOf(machines, dbname, pooler ? alias : undefined);
  const environment = { SOURCE: source.password, TARGET: target.password, APP: machines.appPassword };
  const servers = createServers(() => inventory, environment);
  await replicate(machines, dbname, journal.tag);
  const address = pooler ? await readAlias(pooler.configFile, alias) : undefined;
  const facts = await inspectMigration(servers, {
    source: 'orders',
    target: 'orders-next',
    tag: journal.tag,
    pooler: address ? { alias, ...address } : null,
  });
  const migration: Migration = {
    source: 'orders',
    target: 'orders-next',
    schema: 'already-there',
    triggers: 'refuse',
    otherSubscribers: 'refuse',
    leave: [],
    facts: 'digest',
    limits: { lagBytes: 16_777_216, pauseMs, snapshotMs: 600_000 },
  };
  onTestFinished(() => remove(machines, dbname, journal.tag));
  const way = ({ host, port }: Cluster | PgBouncer, database: string): pg.ClientConfig => {
    return { host, port, database, user: 'app', password: machines.appPassword };
  };
  return {
    dbname,
    inventory,
    environment,
    servers,
    migration,
    facts,
    journal,
    deps: {
      servers,
      facts: () => Promise.resolve(facts),
      journal: () => Promise.resolve(journal.rows()),
      journalOf: (tag) => Promise.resolve(journals.get(tag)?.rows() ?? []),
    },
    source: (text) => asAdmin(source, dbname, text),
    target: (text) => asAdmin(target, dbname, text),
    ways: pooler ? [way(pooler, alias)] : [way(source, dbname), way(target, dbname)],
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

async function addToPooler(machines: Machines, alias: string, dbname: string, poolMode = 'transaction'): Promise<void> {
  const { configFile } = poolerOf(machines);
  const line = `${alias} = host=127.0.0.1 port=${machines.source.port} dbname='${dbname}' pool_size=10 pool_mode=${poolMode}`;
  await writeFile(configFile, (await readFile(configFile, 'utf8')).replace('[databases]\n', `[databases]\n${line}\n`));
  await poolerConsole(machines, 'RELOAD');
}

function inventoryOf(machines: Machines, dbname: string, alias: string | undefined): Inventory {
  const { source, target, pooler } = machines;
  const server = (cluster: Cluster, secret: string): object => ({
    provider: 'streaming',
    owners: 'team',
    server: { host: cluster.host, port: cluster.port, dbname, user: cluster.superuser, secret: { env: secret }, sslmode: 'disable' },
  });
  const pooling = pooler !== null &&
    alias !== undefined && {
      pooler: {
        kind: 'pgbouncer',
        host: pooler.host,
        port: pooler.port,
        alias,
        admin: { user: pooler.adminUser, secret: { file: pooler.adminPasswordFile } },
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
  // What belongs to an extension is not published.
  await asAdmin(
    source,
    dbname,
    `DO $$ BEGIN EXECUTE (SELECT 'CREATE PUBLICATION "${tag}" FOR TABLE ' || string_agg('ONLY ' || oid::regclass, ', ') FROM pg_class
       WHERE relkind = 'r' AND relpersistence = 'p' AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = pg_class.oid AND d.deptype = 'e')); END $$`,
  );
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
