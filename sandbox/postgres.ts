import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { endChild, removePidFile, startChild, type ChildRecord } from './child.ts';
import { sandboxConfiguration } from './configuration.ts';
import { freePorts } from './free-ports.ts';
import { giveToPostgres, postgresUser } from './postgres-user.ts';
import { postgresBinaries, type EmbeddedMajor } from './postgres-binaries.ts';
import { runProgram } from './run-program.ts';
import { until } from './until.ts';

export type Settings = Readonly<Record<string, string | number | boolean>>;

export interface ClusterOptions {
  /** For messages and logs. */
  readonly name: string;
  /** The embedded PostgreSQL to use; or `bin`, the folder of another PostgreSQL's programs. */
  readonly major?: EmbeddedMajor;
  readonly bin?: string;
  /** Holds `data/`, the socket, and unless said otherwise log and pid file. Its parents must be open to the postgres user. */
  readonly directory: string;
  /** Settings of postgresql.conf. */
  readonly settings?: Settings;
  /** The superuser's name, default `postgres`, and password, made up when absent; both count only when the cluster is made. */
  readonly superuser?: string;
  readonly password?: string;
  /** Further arguments of initdb. */
  readonly initialise?: readonly string[];
  /** How long its start may take, recovery included; default 30 s. */
  readonly startWithinMs?: number;
  /** On 127.0.0.1; a free one when absent. */
  readonly port?: number;
  readonly logFile?: string;
  readonly pidFile?: string;
  /** Where programs are kept, default STEADYHAND_CACHE or the platform's place. */
  readonly cache?: string;
  /** How the making of its programs is reported, default standard error; and what stops it. */
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Cluster {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly superuser: string;
  readonly password: string;
  readonly directory: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly pidFile: string;
  /** The programs in use; the embedded ones are initdb, pg_ctl and postgres only. */
  readonly bin: string;
  /** Of the postmaster; another one after `restart()`. */
  readonly pid: number;
  /** Fast shutdown; harmless when it is down already. */
  stop(): Promise<void>;
  /** Stops it if it runs, and starts it on the same port; also right after a kill -9. */
  restart(): Promise<void>;
  /** Replaces the settings that it was started with and has them read; those that need a restart wait for one. */
  configure(settings: Settings): Promise<void>;
}

/** A socket's path longer than this does not fit the kernel's structure: then there is TCP only. */
const longestSocketFolder = 90;

/** Makes the cluster if its directory holds none, then starts it as `startCluster` does. */
export async function createCluster(options: ClusterOptions): Promise<Cluster> {
  return await startCluster(options);
}

/**
 * Starts a PostgreSQL server on 127.0.0.1, made first when the directory holds none (initdb with SCRAM and a password of its own).
 * Throws `tool-missing`, `tool-failed`, or `deadline-passed` with the log's last lines. Several at once are fine.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const bin = await programs(options);
  const passwordFile = join(options.directory, 'superuser-password');
  const data = join(options.directory, 'data');
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(options, bin, data, passwordFile);
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  await writeSettings(options, data, port);
  const launch: Launch = {
    name: options.name,
    superuser: options.superuser ?? 'postgres',
    startWithinMs: options.startWithinMs ?? 30_000,
    bin,
    data,
    port,
    logFile: options.logFile ?? join(options.directory, 'server.log'),
    pidFile: options.pidFile ?? join(options.directory, 'pid.json'),
  };
  const password = (await readFile(passwordFile, 'utf8')).trim();
  return handle(launch, options, password, await launched(launch));
}

interface Launch {
  readonly name: string;
  readonly superuser: string;
  readonly startWithinMs: number;
  readonly bin: string;
  readonly data: string;
  readonly port: number;
  readonly logFile: string;
  readonly pidFile: string;
}

function handle(launch: Launch, options: ClusterOptions, password: string, first: ChildRecord): Cluster {
  let record = first;
  const stop = async (): Promise<void> => {
    await endChild(record);
    removePidFile(launch.pidFile);
  };
  return {
    name: launch.name,
    host: '127.0.0.1',
    port: launch.port,
    superuser: launch.superuser,
    password,
    directory: options.directory,
    dataDirectory: launch.data,
    logFile: launch.logFile,
    pidFile: launch.pidFile,
    bin: launch.bin,
    get pid() {
      return record.pid;
    },
    stop,
    restart: async () => {
      await stop();
      record = await launched(launch);
    },
    configure: async (settings) => {
      await writeSettings({ ...options, settings }, launch.data, launch.port);
      process.kill(record.pid, 'SIGHUP');
    },
  };
}

async function programs(options: ClusterOptions): Promise<string> {
  if (options.bin !== undefined) return options.bin;
  if (options.major === undefined) throw new Failure('internal', `the cluster ${options.name} needs a major version or a bin folder`);
  return await postgresBinaries(options.major, options.cache ?? sandboxConfiguration().cache, options);
}

/** The password goes by a file that is made first: it is never an argument. */
async function initialise(options: ClusterOptions, bin: string, data: string, passwordFile: string): Promise<void> {
  await mkdir(options.directory, { recursive: true, mode: 0o755 });
  await giveToPostgres(options.directory);
  await rm(data, { recursive: true, force: true });
  await writeFile(passwordFile, `${options.password ?? randomBytes(18).toString('base64url')}\n`, { mode: 0o600 });
  await giveToPostgres(passwordFile);
  const user = options.superuser ?? 'postgres';
  const encoding = ['-E', 'UTF8', '--no-locale', '--no-sync', '--no-instructions'];
  await runProgram({
    command: join(bin, 'initdb'),
    args: ['-D', data, '-U', user, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, ...encoding, ...(options.initialise ?? [])],
    environment: { PATH: bin, LC_ALL: 'C', TZ: 'UTC' },
    user: postgresUser(),
    timeoutMs: 120_000,
  });
  await appendFile(join(data, 'postgresql.conf'), "\ninclude 'sandbox.conf'\n");
}

/** A file of its own, written anew at each start: ALTER SYSTEM of whoever uses the cluster stays above it. */
async function writeSettings(options: ClusterOptions, data: string, port: number): Promise<void> {
  const socket = options.directory.length > longestSocketFolder ? '' : options.directory;
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: socket,
    password_encryption: 'scram-sha-256',
    log_line_prefix: '%m [%p] %a %u@%d ',
    lc_messages: 'C',
    ...options.settings,
    port,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`);
  const file = join(data, 'sandbox.conf');
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  await giveToPostgres(file);
}

/** After a kill -9 the former server's children take a moment to end, and hold its memory until then. */
async function launched(launch: Launch): Promise<ChildRecord> {
  return await until(
    `the former ${launch.name} lets go of its memory`,
    async () => {
      try {
        return await launchServer(launch);
      } catch (error) {
        if (error instanceof Failure && error.message.includes('is still in use')) return undefined;
        throw error;
      }
    },
    { withinMs: launch.startWithinMs },
  );
}

async function launchServer(launch: Launch): Promise<ChildRecord> {
  const child = await startChild({
    name: launch.name,
    command: join(launch.bin, 'postgres'),
    args: ['-D', launch.data],
    // Its archive and restore commands are run by a shell.
    environment: { PATH: `${launch.bin}:/usr/bin:/bin`, LC_ALL: 'C' },
    user: postgresUser(),
    logFile: launch.logFile,
    pidFile: launch.pidFile,
    // Fast shutdown, then immediate shutdown.
    endWith: ['SIGINT', 'SIGQUIT'],
  });
  try {
    await until(
      `${launch.name} accepts connections`,
      async () => {
        if (!child.alive()) throw new Failure('tool-failed', `${launch.name} ended at its start`);
        return (await isReady(launch.data, child.record.pid)) || undefined;
      },
      { withinMs: launch.startWithinMs },
    );
    return child.record;
  } catch (error) {
    await endChild(child.record);
    removePidFile(launch.pidFile);
    const log = await readFile(launch.logFile, 'utf8').catch(() => '');
    const last = log.trim().split('\n').slice(-5).join('\n');
    throw error instanceof Failure ? new Failure(error.code, `${error.message}: ${last}`, { name: launch.name }, error) : error;
  }
}

/** What pg_ctl -w looks at: the server writes its state into the eighth line of its own pid file. */
async function isReady(data: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}
