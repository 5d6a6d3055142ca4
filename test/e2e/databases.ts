import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { ulid } from 'ulid';
import { parse, stringify } from 'yaml';
import { quoteIdentifier } from '../../domain/command.ts';
import { addAlias } from '../../activities/pooling/config-file.ts';
import { layoutOf } from '../../sandbox/layout.ts';
import type { Cluster } from '../../sandbox/postgres.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { clientOf } from '../support/sandbox-client.ts';
import type { Tap } from '../support/tap.ts';

/** The databases of one test on the sandbox's servers, and their entries in its inventory. */

export type Taps = Readonly<Record<'source' | 'target' | 'pooler' | 'control', Tap>>;

/** Another source than the sandbox's, with the application's database. */
export interface OwnSource {
  start(directory: string, password: string): Promise<Cluster>;
}

export async function copyDatabase(sandbox: Sandbox, side: Address, dbname: string): Promise<void> {
  await superuser(sandbox, side, `CREATE DATABASE ${quoteIdentifier(dbname)} TEMPLATE orders OWNER orders_owner STRATEGY file_copy`);
}

export async function emptyDatabase(sandbox: Sandbox, side: Address, dbname: string): Promise<void> {
  await superuser(sandbox, side, `CREATE DATABASE ${quoteIdentifier(dbname)} TEMPLATE template0 OWNER orders_owner`);
}

/** As Steadyhand's own login: a switch of an earlier test has locked every other superuser out of the source. */
async function superuser(sandbox: Sandbox, side: Address, statement: string): Promise<void> {
  const client = await clientOf(sandbox, side, 'postgres');
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Another database than the application's: `schema` is run on both sides, on the source alone when the target is empty. */
export interface OwnDatabase {
  readonly dbname: string;
  readonly schema: string;
  readonly rows: string;
}

export async function fillOwn(
  sandbox: Sandbox,
  sides: Readonly<Record<'source' | 'target', Address>>,
  { dbname, schema, rows }: OwnDatabase,
  target: 'migrated' | 'empty' = 'migrated',
): Promise<void> {
  for (const side of ['source', 'target'] as const) {
    await emptyDatabase(sandbox, sides[side], dbname);
    const client = await clientOf(sandbox, sides[side], dbname);
    try {
      if (side === 'source' || target === 'migrated') await client.query(schema);
      if (side === 'source') await client.query(rows);
    } finally {
      await client.end();
    }
  }
}

/** The pooler's alias of a database of the inventory. */
export const aliasOf = (database: string): string => database.replace('-', '_');

type Address = Pick<Cluster, 'host' | 'port'>;

async function passwordOf(sandbox: Sandbox): Promise<string> {
  return (await readFile(layoutOf(sandbox.directory).secretFile('steadyhand'), 'utf8')).trim();
}

export async function ownSource(sandbox: Sandbox, source: OwnSource, endings: (() => Promise<unknown>)[]): Promise<Cluster> {
  const cluster = await source.start(join(sandbox.directory, `source-${ulid()}`), await passwordOf(sandbox));
  endings.push(async () => await cluster.stop());
  return cluster;
}

interface Entry {
  readonly database: string;
  readonly dbname: string;
  readonly viaPooler: boolean;
}

/** The API and the workers see the servers through the taps; so both make the same plan. */
export async function addToInventory(sandbox: Sandbox, taps: Taps, { database, dbname, viaPooler }: Entry): Promise<void> {
  const inventory = parse(readFileSync(sandbox.inventoryFile, 'utf8')) as { databases: Record<string, Database> };
  const { orders: old, 'orders-18': new18 } = inventory.databases;
  if (!old || !new18) throw new Error('the sandbox has another inventory');
  const through = (entry: Database, tap: Tap): Database => ({
    ...entry,
    server: { ...entry.server, host: tap.host, port: tap.port, dbname },
  });
  const { pooler, ...source } = through(old, taps.source);
  inventory.databases[database] = {
    ...source,
    ...(pooler && viaPooler ? { pooler: { ...pooler, host: taps.pooler.host, port: taps.pooler.port, alias: aliasOf(database) } } : {}),
  };
  inventory.databases[`${database}-18`] = through(new18, taps.target);
  writeFileSync(sandbox.inventoryFile, stringify(inventory, { aliasDuplicateObjects: false }));
  if (!viaPooler || !sandbox.pgbouncer) return;
  await addAlias(sandbox.pgbouncer.configFile, aliasOf(database), 'orders', { ...taps.source, dbname });
  const { adminUser, adminPasswordFile, host, port } = sandbox.pgbouncer;
  const admin = new pg.Client({
    host,
    port,
    user: adminUser,
    database: 'pgbouncer',
    password: (await readFile(adminPasswordFile, 'utf8')).trim(),
  });
  await admin.connect();
  await admin.query('RELOAD');
  await admin.end();
}

interface Database {
  server: Record<string, unknown>;
  pooler?: Record<string, unknown>;
}
