import { mkdtempSync } from 'node:fs';
import { chmod, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createServers, type Servers } from '../../activities/postgres/session.ts';
import { inspectMigration } from '../../activities/postgres/inspect-migration.ts';
import type { Migration } from '../../activities/replication/contract.ts';
import type { MigrationFacts } from '../../activities/replication/facts.ts';
import { digestOf } from '../../domain/digest.ts';
import type { DatabaseEntry, Inventory } from '../../domain/inventory.ts';
import { quoteIdentifier, type Command } from '../../domain/command.ts';
import type { NoReturn } from '../../control/contract.ts';
import { startCluster, type Cluster, type ClusterOptions } from '../../sandbox/postgres.ts';

/** Two servers of different versions for one test file. */
export interface Pair {
  readonly source: LoggedCluster;
  readonly target: LoggedCluster;
  stop(): Promise<void>;
}

export type LoggedCluster = Cluster & { log(): Promise<string> };

const settings = { wal_level: 'logical', fsync: 'off', log_statement: 'all', max_worker_processes: 16, max_prepared_transactions: 5 };

export async function startPair(
  source: Pick<ClusterOptions, 'major' | 'bin'> = { major: 16 },
  target: Pick<ClusterOptions, 'major' | 'bin'> = { major: 18 },
): Promise<Pair> {
  const root = mkdtempSync(join(tmpdir(), 'steadyhand-activities-'));
  await chmod(root, 0o755);
  const clusters = await Promise.all(
    Object.entries({ source, target }).map(
      async ([name, which]) => await startCluster({ ...which, name, directory: join(root, name), settings }),
    ),
  );
  const logged = (cluster: Cluster): LoggedCluster => Object.assign(cluster, { log: async () => await readFile(cluster.logFile, 'utf8') });
  const [one, other] = clusters;
  if (!one || !other) throw new Error('both clusters start');
  return {
    source: logged(one),
    target: logged(other),
    stop: async () => {
      await Promise.all(clusters.map(async (cluster) => await cluster.stop()));
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A database on each side of a pair, and everything that a verb is called with. */
export interface Bench {
  readonly servers: Servers;
  readonly dbname: string;
  /** Connections of the application's. */
  readonly source: pg.Client;
  readonly target: pg.Client;
  /** After a server's restart. */
  reconnect(): Promise<void>;
  /** Takes the facts now and makes the migration of them. */
  prepare(options?: {
    schema?: Migration['schema'];
    triggers?: Migration['triggers'];
    otherSubscribers?: Migration['otherSubscribers'];
    leave?: Migration['leave'];
    tag?: string;
    ownObjects?: readonly string[];
  }): Promise<{ migration: Migration; facts: MigrationFacts }>;
  factsOf(digest: string): Promise<MigrationFacts>;
  /** Changes the inventory's entry of a side. */
  configure(side: 'source' | 'target', change: (entry: DatabaseEntry) => DatabaseEntry): void;
  end(): Promise<void>;
}

let number = 0;

/** `schema` is run on both sides, `rows` on the source only. */
export async function makeBench(pair: Pair, { schema = '', sourceOnly = '', dbname = `orders_${++number}` } = {}): Promise<Bench> {
  for (const side of [pair.source, pair.target]) await inDatabase(side, 'postgres', `CREATE DATABASE ${quoteIdentifier(dbname)}`);
  let source = await connect(pair.source, dbname);
  let target = await connect(pair.target, dbname);
  for (const client of [source, target]) await client.query(schema);
  await source.query(sourceOnly);
  const entries = { orders: entryOf(pair.source, dbname), 'orders-new': entryOf(pair.target, dbname) };
  const inventory = (): Inventory => ({ version: 1, people: [], databases: entries, policies: {} });
  const servers = createServers(inventory, { SOURCE_PASSWORD: pair.source.password, TARGET_PASSWORD: pair.target.password });
  const stored = new Map<string, MigrationFacts>();
  return {
    servers,
    dbname,
    get source() {
      return source;
    },
    get target() {
      return target;
    },
    reconnect: async () => {
      await Promise.all([source.end().catch(() => undefined), target.end().catch(() => undefined)]);
      [source, target] = [await connect(pair.source, dbname), await connect(pair.target, dbname)];
    },
    prepare: async ({ schema: way = 'already-there', triggers = 'refuse', otherSubscribers = 'refuse', leave = [], ...more } = {}) => {
      const facts = await inspectMigration(servers, { source: 'orders', target: 'orders-new', ...more });
      const digest = digestOf(facts);
      stored.set(digest, facts);
      const limits = { lagBytes: 1_048_576, pauseMs: 2_000, snapshotMs: 60_000 };
      return {
        facts,
        migration: { source: 'orders', target: 'orders-new', schema: way, triggers, otherSubscribers, leave, facts: digest, limits },
      };
    },
    factsOf: async (digest) => {
      await Promise.resolve();
      const facts = stored.get(digest);
      if (!facts) throw new Error(`no facts ${digest}`);
      return facts;
    },
    configure: (side, change) => {
      const name = side === 'source' ? 'orders' : 'orders-new';
      entries[name] = change(entries[name]);
    },
    end: async () => {
      await Promise.all([source.end().catch(() => undefined), target.end().catch(() => undefined)]);
    },
  };
}

function entryOf(cluster: Cluster, dbname: string): DatabaseEntry {
  const secret = { env: `${cluster.name.toUpperCase()}_PASSWORD` };
  const { host, port, superuser: user } = cluster;
  return { provider: 'streaming', owners: 'dba', policy: 'default', server: { host, port, dbname, user, secret, sslmode: 'disable' } };
}

export async function connect(
  cluster: Cluster,
  dbname: string,
  as: { user?: string; password?: string; name?: string } = {},
): Promise<pg.Client> {
  const client = new pg.Client({
    host: cluster.host,
    port: cluster.port,
    database: dbname,
    user: as.user ?? cluster.superuser,
    password: as.password ?? cluster.password,
    application_name: as.name ?? 'the application',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function inDatabase(cluster: Cluster, dbname: string, sql: string): Promise<void> {
  const client = await connect(cluster, dbname);
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Nobody has decided which side is in charge. */
export const undecided: NoReturn = { read: () => Promise.resolve(null), decide: () => Promise.reject(new Error('not here')) };

/** The switch went forward, its marker's commit ended here. */
export const forwardAt = (markerLsn: string): NoReturn => ({
  ...undecided,
  read: () => Promise.resolve({ side: 'forward', facts: { markerLsn } }),
});

const passing = /^(BEGIN|COMMIT|ROLLBACK|SET )/;

/** What of these statements is no planned command, whatever values its variables have. */
export function unplanned(statements: readonly string[], planned: readonly Command[]): string[] {
  const patterns = planned.map(({ text }) => new RegExp(`^${text.split(variable).map(escape).join('[^]*?')}$`));
  return statements.map((one) => one.trim()).filter((one) => !passing.test(one) && !patterns.some((pattern) => pattern.test(one)));
}

const variable = /(?<!:):(?:'\w+'|"\w+"|[a-z]\w*)/;
const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Statements that the server logged from sessions of that name, in order. */
export async function loggedStatements(cluster: Cluster, application: string): Promise<string[]> {
  const log = await readFile(cluster.logFile, 'utf8');
  const start = new RegExp(`^\\d{4}-\\d\\d-\\d\\d [^[]*\\[\\d+\\] ${application} \\S+ `);
  const entries = log.split(/\n(?=\d{4}-\d\d-\d\d )/);
  return entries.filter((one) => start.test(one)).flatMap((one) => /LOG: {2}(?:statement|execute [^:]*): ([\s\S]*)$/.exec(one)?.[1] ?? []);
}

const users = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

const lists: Readonly<Record<string, string>> = {
  relations: `SELECT n.nspname || '.' || c.relname || ' ' || c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${users}`,
  functions: `SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${users}`,
  types: `SELECT t.oid::regtype::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${users}`,
  schemas: `SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'`,
  extensions: 'SELECT extname::text FROM pg_extension',
  eventTriggers: 'SELECT evtname::text FROM pg_event_trigger',
  publications: 'SELECT pubname::text FROM pg_publication',
  subscriptions: 'SELECT subname::text FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()',
  slots: 'SELECT slot_name::text FROM pg_replication_slots WHERE database = current_database()',
  limit: 'SELECT datconnlimit::text FROM pg_database WHERE datname = current_database()',
};

/** What a run could leave behind or take away: objects, slots, publications, subscriptions, the connection limit. */
export async function world(client: pg.Client): Promise<unknown> {
  const parts = Object.entries(lists).map(([name, sql]) => `'${name}', (SELECT json_agg(one ORDER BY one) FROM (${sql}) AS t (one))`);
  const { rows } = await client.query<{ world: unknown }>(`SELECT json_build_object(${parts.join(', ')}) AS world`);
  return rows[0]?.world;
}
