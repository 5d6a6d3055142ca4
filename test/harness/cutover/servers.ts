import { createReadStream, mkdtempSync, writeFileSync } from 'node:fs';
import { chmod, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { stringify } from 'yaml';
import { createApplicationDatabase, fillApplication, migrateApplication, withSuperuser } from '../../../sandbox/application/application.ts';
import type { Environment } from '../../../sandbox/configuration.ts';
import { people } from '../../../sandbox/inventory.ts';
import { giveToPostgres } from '../../../sandbox/postgres-user.ts';
import { startCluster, type Cluster } from '../../../sandbox/postgres.ts';
import { scramVerifier } from '../../../activities/postgres/scram-verifier.ts';
import { application, startControlServer, templateControl, type ControlServer } from '../../support/control-server.ts';
import { postgres15 } from '../../support/postgres-15.ts';

/** Two servers with the application on the old one, and a control database, for all cases of a file. */
export interface CutoverServers {
  readonly directory: string;
  readonly source: Cluster;
  readonly target: Cluster;
  readonly control: ControlServer;
  /** Of the product's processes; every case adds its databases to the inventory. */
  readonly environment: Environment;
  readonly passwordFile: string;
  addToInventory(databases: Readonly<Record<string, object>>): void;
  /** As Steadyhand's own login. `end()` it. */
  connect(side: 'source' | 'target', dbname: string): Promise<pg.Client>;
  stop(): Promise<void>;
}

const logical = { wal_level: 'logical', max_wal_senders: 40, max_replication_slots: 40, max_connections: 300 };
const workers = { max_logical_replication_workers: 40, max_worker_processes: 60 };
// Nothing here need survive a power cut. The logs are held against the plan.
const shared = { ...logical, ...workers, fsync: 'off', log_statement: 'all', shared_buffers: '64MB' };
const rows = 500;

/** The old server is a 15 where there is one: the embedded servers bring no pg_dump, so the schema can be copied from it alone. */
export async function startCutoverServers({ taskQueue, address }: { taskQueue: string; address: string }): Promise<CutoverServers> {
  const directory = mkdtempSync(join(tmpdir(), 'steadyhand-harness-'));
  await chmod(directory, 0o755);
  const [source, target, control] = await Promise.all([
    startCluster({
      name: 'source',
      ...(postgres15 ? { bin: postgres15 } : { major: 16 }),
      directory: join(directory, 'source'),
      settings: shared,
    }),
    startCluster({ name: 'target', major: 18, directory: join(directory, 'target'), settings: shared }),
    startControlServer(),
  ]);
  const password = source.password;
  await Promise.all([prepare(source, password, rows), prepare(target, password, 0)]);
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const passfile = join(directory, 'replication.pgpass');
  await writeFile(passfile, `127.0.0.1:*:*:steadyhand:${password}\n`, { mode: 0o600 });
  await giveToPostgres(passfile);
  const inventory = join(directory, 'steadyhand.yaml');
  const databases: Record<string, object> = {};
  const write = (): void =>
    writeFileSync(inventory, stringify({ version: 1, people, databases, policies }, { aliasDuplicateObjects: false }));
  write();
  const tools = postgres15
    ? { STEADYHAND_PG_DUMP: join(postgres15, 'pg_dump'), STEADYHAND_PG_RESTORE: join(postgres15, 'pg_restore') }
    : {};
  return {
    ...{ directory, source, target, control, passwordFile },
    environment: {
      ...{ STEADYHAND_INVENTORY: inventory, STEADYHAND_CONTROL_URL: control.url(templateControl, application) },
      ...{ TEMPORAL_ADDRESS: address, STEADYHAND_TASK_QUEUE: taskQueue, STEADYHAND_LOG_LEVEL: 'warn', ...tools },
    },
    addToInventory: (more) => {
      for (const [name, entry] of Object.entries(more)) databases[name] = { ...entryOf(passfile), ...entry };
      write();
    },
    connect: async (side, dbname) => {
      const { host, port } = { source, target }[side];
      const client = new pg.Client({ host, port, user: 'steadyhand', password, database: dbname, application_name: 'harness' });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    stop: async () => {
      await Promise.all([source.stop(), target.stop(), control.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const policies = {
  default: {
    requesters: ['dba'],
    operators: ['dba', 'on-call'],
    approvals: { low: 'auto', medium: 'auto', high: { quorum: [{ group: 'dba' }, { group: 'owners' }], deadline: '4h' } },
  },
};

function entryOf(passfile: string): object {
  return { provider: 'streaming', replication: { user: 'steadyhand', passfile }, owners: 'team-orders', policy: 'default' };
}

async function prepare(cluster: Cluster, password: string, size: number): Promise<void> {
  const verifier = scramVerifier(password);
  await createApplicationDatabase(cluster, { steadyhand: verifier, orders_app: verifier });
  // Without a 15 nothing copies the schema to the new server: it is there already.
  if (size > 0 || postgres15 === undefined) {
    await migrateApplication(cluster);
    await withSuperuser(cluster, 'orders', async (client) => await client.query('ALTER TABLE orders ENABLE ALWAYS TRIGGER orders_stamp'));
  }
  if (size > 0) await fillApplication(cluster, size);
  // The first switch would lock this superuser out of the whole server, and the others would find another server than planned.
  await withSuperuser(cluster, 'postgres', async (client) => await client.query('ALTER ROLE postgres NOLOGIN'));
}

/** How long the server's log is now. */
export async function logEnd(cluster: Cluster): Promise<number> {
  return (await stat(cluster.logFile)).size;
}

/** The server's log from there on: it grows with every case. */
export async function logSince(cluster: Cluster, from: number): Promise<string> {
  return await text(createReadStream(cluster.logFile, { start: from }));
}
