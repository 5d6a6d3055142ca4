import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll } from 'vitest';
import { parse, stringify } from 'yaml';
import { quoteLiteral } from '../../domain/command.ts';
import { createApplicationDatabase, fillApplication, migrateApplication, withSuperuser } from '../../sandbox/application/application.ts';
import { layoutOf } from '../../sandbox/layout.ts';
import { startCluster, type Cluster } from '../../sandbox/postgres.ts';
import { scramVerifier } from '../../activities/postgres/scram-verifier.ts';
import type { Move, movePlace } from '../e2e/place.ts';
import { postgres15 } from '../support/postgres-15.ts';
import { noting } from './searching.ts';

/** What stands around a secret's own text shows careless quoting. */
export const awkward = (core: string): string => `p'q"\\ @:/%$${core}`;
const core = (): string => randomBytes(18).toString('hex');

/** Secrets that are put in place here; those that the sandbox makes come to them. */
export const sentinels = {
  mover: core(),
  copier: core(),
  'copier, wrong': core(),
  'target, wrong': core(),
  'application, wrong': core(),
  /** By a person, into a reason. */
  typed: core(),
  'payload key': randomBytes(32).toString('base64url'),
};

/** A file with a password, which is wrong for a while. */
export interface Password {
  /** Puts another one there; returns the one that was. */
  exchange(text: string): string;
}

export interface Stage {
  readonly move: Move;
  /** All that must not be found, by what it is. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly source: Cluster;
  /** A superuser on the target's server, in the database that is moved to. */
  readonly target: pg.Client;
  readonly passwords: Readonly<Record<'target' | 'copier' | 'application', Password>>;
  /** The folder in which pg_dump and pg_restore write down what they were given. */
  readonly notes: string;
  /** The workers' TMPDIR. */
  readonly temporary: string;
  /** A file outside of all that is searched. */
  readonly patterns: string;
}

/** Everything is logged, and statements are counted. */
const telltale = { log_statement: 'all', log_min_duration_statement: 0, shared_preload_libraries: 'pg_stat_statements' };

/** A PostgreSQL 15 that logs everything, to be moved to an 18 that does so too; passwords in every way that the inventory knows. */
export async function arrange(place: ReturnType<typeof movePlace>): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const [notes, temporary] = [join(folder, 'notes'), join(folder, 'temporary')];
  for (const made of [notes, temporary]) mkdirSync(made);
  const bin = postgres15 ?? '';
  const sources: Cluster[] = [];
  const start = async (directory: string, password: string): Promise<Cluster> => {
    const cluster = await startSource(directory, password, bin);
    sources.push(cluster);
    return cluster;
  };
  const move = await place.begin({
    target: 'empty',
    source: { start },
    environment: {
      STEADYHAND_PG_DUMP: await noting(join(bin, 'pg_dump'), notes),
      STEADYHAND_PG_RESTORE: await noting(join(bin, 'pg_restore'), notes),
      TMPDIR: temporary,
    },
  });
  const [source] = sources;
  if (!source) throw new Error('the source was not started');
  const layout = layoutOf(move.sandbox.directory);
  const files = { target: layout.secretFile('target'), copier: layout.secretFile('copier'), application: layout.secretFile('orders_app') };
  writeFileSync(files.target, readFileSync(layout.secretFile('steadyhand')), { mode: 0o600 });
  writeFileSync(files.copier, awkward(sentinels.copier), { mode: 0o600 });
  tellInventory(move, files);
  const secrets = await secretsOf(move, source);
  return {
    ...{ move, secrets, source, notes, temporary, patterns: join(folder, 'patterns') },
    target: await talkative(move, secrets['steadyhand'] ?? ''),
    passwords: { target: inFile(files.target), copier: inFile(files.copier), application: inFile(files.application) },
  };
}

async function startSource(directory: string, password: string, bin: string): Promise<Cluster> {
  const settings = { wal_level: 'logical', max_wal_senders: 20, max_replication_slots: 20, fsync: 'off', ...telltale };
  const cluster = await startCluster({ name: 'source-15', bin, directory, settings });
  const application = readFileSync(join(directory, '..', 'secrets', 'orders_app'), 'utf8').trim();
  await createApplicationDatabase(cluster, { steadyhand: scramVerifier(password), orders_app: scramVerifier(application) });
  await migrateApplication(cluster);
  await fillApplication(cluster, 1_000);
  const login = (name: string): string => `PASSWORD ${quoteLiteral(scramVerifier(awkward(name)))}`;
  await withSuperuser(cluster, 'postgres', async (client) => {
    await client.query(`CREATE ROLE mover LOGIN SUPERUSER REPLICATION ${login(sentinels.mover)}`);
    await client.query(`CREATE ROLE copier LOGIN REPLICATION IN ROLE pg_read_all_data ${login(sentinels.copier)}`);
    await client.query('CREATE EXTENSION pg_stat_statements');
  });
  return cluster;
}

/** The source's password comes from a variable, the others from files; the target logs in to the source without a password file. */
function tellInventory(move: Move, files: Readonly<Record<'target' | 'copier' | 'application', string>>): void {
  const file = move.sandbox.inventoryFile;
  const inventory = parse(readFileSync(file, 'utf8')) as { databases: Record<string, Record<string, object>> };
  const { [move.database]: from, [`${move.database}-18`]: to } = inventory.databases;
  if (!from || !to) throw new Error('the databases are not in the inventory');
  from['server'] = { ...from['server'], user: 'mover', secret: { env: 'SENTINEL_MOVER' } };
  from['replication'] = { user: 'copier', secret: { file: files.copier } };
  to['server'] = { ...to['server'], secret: { file: files.target } };
  writeFileSync(file, stringify(inventory, { aliasDuplicateObjects: false }));
}

async function secretsOf(move: Move, source: Cluster): Promise<Record<string, string>> {
  const { sandbox } = move;
  const layout = layoutOf(sandbox.directory);
  const own = ['steadyhand', 'orders_app', 'steadyhand_owner', 'steadyhand_app', 'pgbouncer_admin'] as const;
  const read = (file: string): string => readFileSync(file, 'utf8').trim();
  return {
    ...sentinels,
    ...Object.fromEntries(own.map((name) => [name, read(layout.secretFile(name))])),
    ...Object.fromEntries(Object.entries(sandbox.tokens).map(([person, file]) => [`token of ${person}`, read(file)])),
    ...Object.fromEntries([source, sandbox.target, sandbox.control].map((one) => [`superuser of ${one.name}`, one.password])),
  };
}

/** The target's server logs as much as the source's, and is asked by a superuser. */
async function talkative({ sandbox, dbname }: Move, password: string): Promise<pg.Client> {
  await withSuperuser(sandbox.target, 'postgres', async (client) => {
    for (const [name, value] of Object.entries(telltale)) await client.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  });
  await sandbox.target.restart();
  const { host, port } = sandbox.target;
  const client = new pg.Client({ host, port, user: 'steadyhand', password, database: dbname, application_name: 'test' });
  client.on('error', () => undefined);
  await client.connect();
  afterAll(async () => await client.end().catch(() => undefined));
  return client;
}

function inFile(file: string): Password {
  return {
    exchange: (text) => {
      const before = readFileSync(file, 'utf8').trimEnd();
      writeFileSync(file, text, { mode: 0o600 });
      return before;
    },
  };
}
