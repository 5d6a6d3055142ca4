import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { endChild, removePidFile, startChild, type Child } from './child.ts';
import { findProgram } from './find-program.ts';
import { freePorts } from './free-ports.ts';
import { giveToPostgres, postgresUser } from './postgres-user.ts';
import { until } from './until.ts';

export interface PgBouncerOptions {
  /** Holds configuration and password list; its parents must be open to the postgres user. */
  readonly directory: string;
  readonly logFile: string;
  readonly pidFile: string;
  readonly port?: number;
  /** The aliases that clients connect to, and where each points. */
  readonly databases: Readonly<Record<string, { readonly host: string; readonly port: number; readonly dbname: string }>>;
  /** Name → password: PgBouncer needs it in plain text to log in to the server by SCRAM. */
  readonly users: Readonly<Record<string, string>>;
  /** A file of one's own with the console's password; made in the directory when absent. */
  readonly adminPasswordFile?: string;
  /** The folders of PATH. */
  readonly path: readonly string[];
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface PgBouncer {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly configFile: string;
  readonly logFile: string;
  readonly adminUser: string;
  readonly adminPasswordFile: string;
  stop(): Promise<void>;
}

const adminUser = 'pgbouncer_admin';

/** PgBouncer's path, or undefined when it is not on this machine. */
export function findPgBouncer(path: readonly string[]): string | undefined {
  return findProgram('pgbouncer', [...path, '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin']);
}

/**
 * Starts PgBouncer with transaction pooling, as the postgres user, who owns its files. Throws `tool-missing` where it is not
 * installed, `tool-failed` or `deadline-passed` with its log when it does not listen.
 */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const program = findPgBouncer(options.path);
  if (program === undefined) {
    throw new Failure('tool-missing', 'PgBouncer is not installed; install it (`apt-get install pgbouncer`) or use `--pooler none`');
  }
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const configFile = join(options.directory, 'pgbouncer.ini');
  const adminPasswordFile = options.adminPasswordFile ?? join(options.directory, 'admin-password');
  await writeFiles(options, port, configFile, adminPasswordFile);
  const child = await startChild({
    name: 'pgbouncer',
    command: program,
    args: [configFile],
    environment: { PATH: '/usr/bin:/bin' },
    user: postgresUser(),
    logFile: options.logFile,
    pidFile: options.pidFile,
    // SIGINT would wait for the clients to leave (a safe shutdown), SIGTERM in 1.23 and newer too; SIGQUIT is at once.
    endWith: ['SIGQUIT', 'SIGTERM'],
  });
  const stop = async (): Promise<void> => {
    await endChild(child.record);
    removePidFile(options.pidFile);
  };
  try {
    await listens(child, port, options.logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host: '127.0.0.1', port, pid: child.record.pid, configFile, logFile: options.logFile, adminUser, adminPasswordFile, stop };
}

async function writeFiles(options: PgBouncerOptions, port: number, configFile: string, adminPasswordFile: string): Promise<void> {
  await mkdir(options.directory, { recursive: true, mode: 0o755 });
  const userList = join(options.directory, 'userlist.txt');
  const adminPassword = randomBytes(18).toString('base64url');
  await writeFile(adminPasswordFile, `${adminPassword}\n`, { mode: 0o600 });
  const users = Object.entries({ ...options.users, [adminUser]: adminPassword });
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  await ownFile(userList, users.map(([name, password]) => `${quote(name)} ${quote(password)}\n`).join(''));
  await ownFile(configFile, configText(options, port, userList));
}

async function ownFile(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  await giveToPostgres(file);
}

function configText(options: PgBouncerOptions, port: number, userList: string): string {
  const databases = Object.entries(options.databases).map(
    ([alias, to]) => `${alias} = host=${to.host} port=${to.port} dbname=${to.dbname}`,
  );
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: userList,
    admin_users: adminUser,
    pool_mode: 'transaction',
    default_pool_size: 20,
    max_client_conn: 500,
    server_login_retry: 1,
    query_wait_timeout: 120,
    ignore_startup_parameters: 'extra_float_digits',
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return ['[databases]', ...databases, '', '[pgbouncer]', ...lines, ''].join('\n');
}

async function listens(child: Child, port: number, logFile: string): Promise<void> {
  await until(
    'PgBouncer listens',
    async () => {
      if (!child.alive()) {
        const last = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');
        throw new Failure('tool-failed', `PgBouncer ended at its start: ${last}`);
      }
      return (await accepts(port)) || undefined;
    },
    { withinMs: 10_000 },
  );
}

async function accepts(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
