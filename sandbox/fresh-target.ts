import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { parseInventory } from '../domain/inventory.ts';
import { createApplicationDatabase, migrateApplication, type ApplicationRoles } from './application/application.ts';
import { databaseEntry } from './inventory.ts';
import { layoutOf, type Layout } from './layout.ts';
import { startCluster, type Cluster } from './postgres.ts';
import { logicalTarget } from './servers.ts';
import { inspect, writeState } from './state.ts';

export interface FreshTarget {
  readonly directory: string;
  readonly log: (line: string) => void;
}

const database = 'orders';
/** The name of every server that the orders can move to after the first one. */
const nextName = 'orders-next';
const oldName = 'orders-old';
const firstName = 'orders-18';

const entrySchema = z.looseObject({
  server: z.looseObject({
    ...{ host: z.string(), port: z.number(), dbname: z.string(), user: z.string() },
    secret: z.looseObject({ file: z.string() }),
  }),
});
type Entry = z.infer<typeof entrySchema>;
const inventorySchema = z.looseObject({ databases: z.record(z.string(), entrySchema) });

/**
 * What an operator does after a migration, and one thing more. The inventory's `orders` becomes the server that they have moved to,
 * with the pooler; the server that they have left becomes `orders-old`. A fresh PostgreSQL 18 with the application's tables becomes
 * `orders-next`, so that they can move again, any number of times. Returns the name of the fresh one. Throws `not-found` when no
 * sandbox runs there, `conflict` when the orders have not moved, or their run has not ended.
 */
export async function freshTarget({ directory, log }: FreshTarget): Promise<string> {
  const layout = layoutOf(directory);
  const { kind, state } = inspect(directory);
  if (kind !== 'running' || state === null) throw new Failure('not-found', `no sandbox runs in ${directory}`, { directory });
  const inventory = inventorySchema.parse(parse(readFileSync(layout.inventory, 'utf8')));
  const { [database]: left, [nextName]: next, [firstName]: first, [oldName]: _older, ...others } = inventory.databases;
  const serving = next ?? first;
  if (!left || !serving) throw new Failure('conflict', `${layout.inventory} has no entry to which ${database} can have moved`);
  await assertMoved(left, serving);
  const cluster = await startFresh(layout, await rolesOf(serving), log);
  const { pooler, description, ...old } = left;
  const databases = {
    [database]: { ...serving, description, ...(pooler === undefined ? {} : { pooler }) },
    [oldName]: { ...old, description: 'The server that the orders have left; it is closed to clients' },
    [nextName]: { description: 'Where the orders can move to', ...databaseEntry(layout, cluster) },
    ...others,
  };
  writeInventoryText(layout, stringify({ ...inventory, databases }, { aliasDuplicateObjects: false }));
  writeState(layout, { ...state, addresses: { ...state.addresses, [cluster.name]: `${cluster.host}:${cluster.port}` } });
  log(`${database} is at 127.0.0.1:${serving.server.port} in the inventory now; ${nextName} is a fresh PostgreSQL 18`);
  return nextName;
}

/** The servers say it: the one side is closed to clients, the other one open, and nothing of a run is left on it. */
async function assertMoved(left: Entry, serving: Entry): Promise<void> {
  const closed = `SELECT datconnlimit = 0 AS yes FROM pg_database WHERE datname = current_database()`;
  const busy = `SELECT EXISTS (SELECT FROM pg_subscription) AS yes`;
  if (!(await asked(left, closed)) || (await asked(serving, closed)))
    throw new Failure('conflict', `${database} has not moved: the server that the inventory names still serves it`);
  if (await asked(serving, busy))
    throw new Failure('conflict', `the run that moves ${database} has not ended; \`steadyhand runs\` shows it`);
}

async function asked(entry: Entry, question: string): Promise<boolean> {
  const [row] = await query<{ yes: boolean }>(entry, question);
  return row?.yes ?? false;
}

async function query<Row extends pg.QueryResultRow>({ server }: Entry, text: string): Promise<Row[]> {
  const { host, port, dbname, user, secret } = server;
  const password = readFileSync(secret.file, 'utf8').trim();
  const client = new pg.Client({ host, port, user, password, database: dbname, application_name: 'sandbox' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** The same verifiers as on the serving side, so that every login still fits. */
async function rolesOf(serving: Entry): Promise<ApplicationRoles> {
  const rows = await query<{ name: string; verifier: string }>(
    serving,
    `SELECT rolname AS name, rolpassword AS verifier FROM pg_authid WHERE rolname IN ('steadyhand', 'orders_app')`,
  );
  const verifiers = new Map(rows.map(({ name, verifier }) => [name, verifier]));
  return { steadyhand: verifiers.get('steadyhand') ?? '', orders_app: verifiers.get('orders_app') ?? '' };
}

async function startFresh(layout: Layout, roles: ApplicationRoles, log: (line: string) => void): Promise<Cluster> {
  const servers = layout.part('servers');
  // Source and target are the first two.
  const number = (await readdir(servers).catch(() => [])).length + 3;
  const name = `server-${number}`;
  const files = { directory: join(servers, name), logFile: layout.logFile(name), pidFile: layout.pidFile(name) };
  const cluster = await startCluster({ name, major: 18, settings: logicalTarget, ...files, log });
  try {
    await createApplicationDatabase(cluster, roles);
    await migrateApplication(cluster);
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Renamed into place, as API and worker read it at any moment. */
function writeInventoryText(layout: Layout, text: string): void {
  parseInventory(text, layout.inventory);
  writeFileSync(`${layout.inventory}.new`, text, { mode: 0o644 });
  renameSync(`${layout.inventory}.new`, layout.inventory);
}
