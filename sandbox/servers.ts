import { rm, writeFile } from 'node:fs/promises';
import { durationText } from '../domain/duration.ts';
import {
  applicationDatabase,
  createApplicationDatabase,
  fillApplication,
  migrateApplication,
  type ApplicationRoles,
} from './application/application.ts';
import type { SandboxConfiguration } from './configuration.ts';
import { createControlDatabase, makeTokens } from './control-database.ts';
import type { Layout } from './layout.ts';
import { startPgBouncer, type PgBouncer } from './pgbouncer.ts';
import { giveToPostgres } from './postgres-user.ts';
import { startCluster, type Cluster, type ClusterOptions } from './postgres.ts';
import type { Secrets } from './secrets.ts';
import { startTemporal, type TemporalServer } from './temporal.ts';

/** What of the sandbox's options is about servers. */
export interface ServerOptions {
  readonly pooler: 'pgbouncer' | 'none';
  readonly log: (line: string) => void;
  /** Rows of the application in all, default 200,000 (about 70 MB). */
  readonly size?: number;
  /** What stands on the target: the application's schema without rows (default), or nothing. */
  readonly target?: 'migrated' | 'empty';
  /** `log_statement` of source and target, default none. */
  readonly logStatement?: 'none' | 'ddl' | 'mod' | 'all';
  /** Further settings of source and target, such as room for more slots. */
  readonly settings?: Readonly<Record<'source' | 'target', Readonly<Record<string, string | number>>>>;
  /** When aborted, the start-up stops, and what was started is ended. */
  readonly signal?: AbortSignal;
}

const logicalSource = { wal_level: 'logical', max_wal_senders: 20, max_replication_slots: 20, max_connections: 200 };
/** What a server needs to be moved to, and away from later. */
export const logicalTarget = { ...logicalSource, max_logical_replication_workers: 20, max_worker_processes: 32 };

export interface Ports {
  readonly temporal: readonly [number, number];
  readonly source: number;
  readonly target: number;
  readonly control: number;
  readonly pooler: number;
}

export interface Servers {
  readonly temporal: TemporalServer;
  readonly source: Cluster;
  readonly target: Cluster;
  readonly control: Cluster;
  readonly pgbouncer: PgBouncer | null;
}

export interface Starting {
  readonly options: ServerOptions;
  readonly configuration: SandboxConfiguration;
  readonly layout: Layout;
  readonly ports: Ports;
  readonly secrets: Secrets;
  /** The same on both sides, so that every login still fits. */
  readonly roles: ApplicationRoles;
}

/**
 * Temporal, the three clusters (the application's still empty), the control database and the pooler, all at once. Waits for every
 * one to be ready or failed, so that nothing is started behind the back of the clearing up; then throws the first error.
 */
export async function startServers(starting: Starting): Promise<Servers> {
  const { options, configuration, layout, ports } = starting;
  const both = { log_statement: options.logStatement ?? 'none' };
  const [temporal, source, target, control, pgbouncer] = await allOrFirstError([
    startTemporal({
      configuration,
      directory: layout.part('temporal'),
      logFile: layout.logFile('temporal'),
      pidFile: layout.pidFile('temporal'),
      ports: ports.temporal,
      log: options.log,
      signal: options.signal,
    }),
    startNamed(starting, 'source', { major: 16, settings: { ...logicalSource, ...both, ...options.settings?.source } }),
    startNamed(starting, 'target', { major: 18, settings: { ...logicalTarget, ...both, ...options.settings?.target } }),
    startControl(starting),
    options.pooler === 'none' ? Promise.resolve(null) : startPooler(starting),
  ]);
  options.signal?.throwIfAborted();
  return { temporal, source, target, control, pgbouncer };
}

/** Waits for all of it to end, well or not; then throws the first error. */
export async function allOrFirstError<Results extends readonly unknown[]>(work: {
  readonly [Index in keyof Results]: Promise<Results[Index]>;
}): Promise<Results> {
  const ends = await Promise.allSettled(work);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  // All are fulfilled, and in the order of the work.
  return ends.map((end) => (end.status === 'fulfilled' ? end.value : undefined)) as unknown as Results;
}

/** The application's database on both sides, with its rows on the source. Both end before it returns or throws. */
export async function prepareApplication({ options, roles }: Starting, { source, target }: Servers): Promise<void> {
  await allOrFirstError([prepareSource(options, roles, source), prepareTarget(options, roles, target)]);
}

async function prepareSource(options: ServerOptions, roles: ApplicationRoles, source: Cluster): Promise<void> {
  const began = performance.now();
  const size = options.size ?? 200_000;
  await createApplicationDatabase(source, roles);
  await migrateApplication(source);
  options.signal?.throwIfAborted();
  if (size > 1_000_000) options.log(`Filling the source with ${size.toLocaleString('en')} rows; half a minute for each million`);
  await fillApplication(source, size);
  options.log(`The source has ${size.toLocaleString('en')} rows (${durationText(performance.now() - began)})`);
}

async function prepareTarget(options: ServerOptions, roles: ApplicationRoles, target: Cluster): Promise<void> {
  await createApplicationDatabase(target, roles);
  if (options.target !== 'empty') await migrateApplication(target);
}

async function startControl(starting: Starting): Promise<Cluster> {
  const cluster = await startNamed(starting, 'control', { major: 18, settings: { shared_buffers: '32MB' } });
  await createControlDatabase(cluster, starting.secrets);
  await makeTokens(starting.layout, cluster, starting.secrets);
  return cluster;
}

async function startNamed(
  { options, configuration, layout, ports }: Starting,
  name: 'source' | 'target' | 'control',
  cluster: Pick<ClusterOptions, 'major' | 'settings'>,
): Promise<Cluster> {
  const began = performance.now();
  const started = await startCluster({
    ...cluster,
    name,
    directory: layout.part(name),
    port: ports[name],
    logFile: layout.logFile(name),
    pidFile: layout.pidFile(name),
    cache: configuration.cache,
    log: options.log,
    signal: options.signal,
  });
  options.log(`PostgreSQL ${cluster.major} (${name}) answers at 127.0.0.1:${started.port} (${durationText(performance.now() - began)})`);
  return started;
}

async function startPooler({ options, configuration, layout, ports, secrets }: Starting): Promise<PgBouncer> {
  const pgbouncer = await startPgBouncer({
    directory: layout.part('pgbouncer'),
    logFile: layout.logFile('pgbouncer'),
    pidFile: layout.pidFile('pgbouncer'),
    port: ports.pooler,
    databases: { [applicationDatabase]: { host: '127.0.0.1', port: ports.source, dbname: applicationDatabase } },
    users: { orders_app: secrets.orders_app },
    adminPasswordFile: layout.secretFile('pgbouncer_admin'),
    path: configuration.path,
  });
  options.log(`PgBouncer answers at 127.0.0.1:${pgbouncer.port}`);
  return pgbouncer;
}

/** libpq takes it only when nobody else may read it, so it belongs to the user that the servers run as. */
export async function writePassfile(layout: Layout, secrets: Secrets): Promise<void> {
  await rm(layout.passfile, { force: true });
  await writeFile(layout.passfile, `127.0.0.1:*:*:steadyhand:${secrets.steadyhand}\n`, { mode: 0o600 });
  await giveToPostgres(layout.passfile);
}
