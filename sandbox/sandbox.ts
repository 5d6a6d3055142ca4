import { mkdir, readFile, writeFile } from 'node:fs/promises';
import pg from 'pg';
import { durationText } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { applicationDatabase } from './application/application.ts';
import { endChild, isAlive, readPidFile } from './child.ts';
import { sandboxConfiguration, type Environment, type SandboxConfiguration } from './configuration.ts';
import { addressesOf, environmentOf, shellLines } from './environment.ts';
import { freePorts } from './free-ports.ts';
import { people, writeInventory } from './inventory.ts';
import { layoutOf, type Layout } from './layout.ts';
import { startLoad, type Load, type LoadOptions } from './load.ts';
import { scramVerifier } from '../activities/postgres/scram-verifier.ts';
import { makeSecrets } from './secrets.ts';
import { allOrFirstError, prepareApplication, startServers, writePassfile, type ServerOptions, type Servers } from './servers.ts';
import { startService, type Service } from './service.ts';
import { claim, clear, inspect, release, writeState, type SandboxState, type SandboxStatus } from './state.ts';

export interface UpOptions extends ServerOptions {
  /** Where its state goes: a folder of its own, whose parents are open to the postgres user. */
  readonly directory?: string;
  /** Default true: API and worker run too. */
  readonly services?: boolean;
  /** A file with the workflows, built ahead: its workers need not build them at each start. */
  readonly bundle?: string;
  /** It lives on when this process ends; `down` is another process's work. */
  readonly detached?: boolean;
  readonly configuration?: SandboxConfiguration;
  /** Starts something that API and worker are to know, in the folder that it gets: it is removed with the sandbox. */
  readonly beside?: (folder: string) => Promise<Beside>;
}

export interface Beside {
  /** What API and worker receive of it. */
  readonly environment: Environment;
  stop(): Promise<void>;
}

export interface Sandbox extends Servers {
  readonly directory: string;
  /** The folder of all the logs, `<part>.log` each. */
  readonly logs: string;
  readonly inventoryFile: string;
  /** For `steadyhand` commands; secrets stand in the files that it names. */
  readonly environment: Readonly<Record<string, string>>;
  /** Null without services. */
  readonly api: Service | null;
  readonly worker: Service | null;
  /** Person → file with the bearer token. */
  readonly tokens: Readonly<Record<string, string>>;
  /** A superuser's connection to the application's database on one side. `end()` it. */
  connect(side: 'source' | 'target'): Promise<pg.Client>;
  /** The application at work: through the pooler, or without one on the source and then the target. Stop it before `down`. */
  load(options?: Partial<LoadOptions>): Load;
  /** Another API or worker, or one again. Throws `conflict` when a living process has the name (default: the command's). */
  start(command: 'api' | 'worker', name?: string): Promise<Service>;
  /** Ends and removes everything but the logs. A second call is harmless. */
  down(): Promise<void>;
}

/**
 * Brings up a complete Steadyhand to rehearse with: Temporal, the application's database on PostgreSQL 16, the PostgreSQL 18 that
 * it can move to, the control database, PgBouncer, API and worker. What a killed sandbox left is cleared before. Throws
 * `conflict` when one runs already. When a part fails, the others are taken down and the part's error is thrown.
 */
export async function up(options: UpOptions): Promise<Sandbox> {
  const began = performance.now();
  const configuration = options.configuration ?? sandboxConfiguration();
  const layout = layoutOf(options.directory ?? configuration.state);
  await claim(layout, options.log);
  let beside: Beside | undefined;
  try {
    beside = await options.beside?.(layout.part('aws'));
    const environment = { ...configuration.environment, ...beside?.environment };
    const sandbox = await bring(options, { ...configuration, environment }, layout);
    if (options.detached) release(layout);
    options.log(`The sandbox is up after ${durationText(performance.now() - began)}`);
    return { ...sandbox, down: async () => await downWith(beside, sandbox) };
  } catch (error) {
    await beside?.stop();
    await clear(layout, { logs: false });
    release(layout);
    throw options.signal?.aborted ? new Failure('cancelled', 'the start of the sandbox was stopped', {}, error) : error;
  }
}

/** What it has beside goes first, as its files go with the sandbox. */
async function downWith(beside: Beside | undefined, sandbox: Sandbox): Promise<void> {
  await beside?.stop();
  await sandbox.down();
}

async function bring(options: UpOptions, configuration: SandboxConfiguration, layout: Layout): Promise<Sandbox> {
  for (const folder of [layout.pids, layout.logs]) await mkdir(folder, { recursive: true });
  const state: SandboxState = {
    phase: 'starting',
    detached: options.detached ?? false,
    startedAt: new Date().toISOString(),
    pooler: options.pooler,
    addresses: {},
    environment: {},
  };
  writeState(layout, state);
  const [temporal = 0, ui = 0, source = 0, target = 0, control = 0, pooler = 0, api = 0] = await freePorts(7);
  const secrets = await makeSecrets(layout);
  const starting = {
    ...{ options, configuration, layout, secrets },
    ports: { temporal: [temporal, ui], source, target, control, pooler } as const,
    roles: { steadyhand: scramVerifier(secrets.steadyhand), orders_app: scramVerifier(secrets.orders_app) },
  };
  const servers = await startServers(starting);
  await writeInventory(layout, servers);
  await writePassfile(layout, secrets);
  const environment = environmentOf(layout, servers, api);
  await writeFile(layout.environment, shellLines(environment), { mode: 0o644 });
  const [sandbox] = await allOrFirstError([
    withServices(options, configuration, layout, servers, environment),
    prepareApplication(starting, servers),
  ]);
  options.signal?.throwIfAborted();
  const addresses = addressesOf(servers, sandbox.api ? environment : {});
  writeState(layout, { ...state, phase: 'up', environment, addresses });
  return sandbox;
}

async function withServices(
  options: UpOptions,
  configuration: SandboxConfiguration,
  layout: Layout,
  servers: Servers,
  environment: Readonly<Record<string, string>>,
): Promise<Sandbox> {
  const start = async (command: 'api' | 'worker', name: string = command): Promise<Service> => {
    const known = readPidFile(layout.pidFile(name));
    if (known && isAlive(known)) throw new Failure('conflict', `a process called ${name} runs already (pid ${known.pid})`);
    const { log, signal } = options;
    return await startService({
      layout,
      command,
      name,
      args: command === 'worker' && options.bundle !== undefined ? ['--bundle', options.bundle] : [],
      environment: { ...withoutTemporal(configuration.environment), ...environment },
      log,
      signal,
    });
  };
  const wanted = options.services ?? true;
  const nothing = Promise.resolve(null);
  const [api, worker] = await allOrFirstError([wanted ? start('api') : nothing, wanted ? start('worker') : nothing]);
  return {
    ...servers,
    directory: layout.directory,
    logs: layout.logs,
    inventoryFile: layout.inventory,
    environment,
    api,
    worker,
    tokens: Object.fromEntries(people.map(({ name }) => [name, layout.tokenFile(name)])),
    connect: (side) => connect(servers, side, layout.secretFile('steadyhand')),
    load: (load = {}) =>
      startLoad({ endpoints: endpointsOf(servers), user: 'orders_app', passwordFile: layout.secretFile('orders_app'), ...load }),
    start,
    down: async () => {
      await down(layout.directory);
    },
  };
}

/** A TEMPORAL_API_KEY or TLS key of the shell is for another server than ours. */
function withoutTemporal(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

function endpointsOf({ pgbouncer, source, target }: Servers): LoadOptions['endpoints'] {
  return (pgbouncer ? [pgbouncer] : [source, target]).map(({ host, port }) => ({ host, port, dbname: applicationDatabase }));
}

/** As Steadyhand's own login: after a switch the old side is closed to every other superuser. */
async function connect(servers: Servers, side: 'source' | 'target', passwordFile: string): Promise<pg.Client> {
  const { host, port } = servers[side];
  const password = (await readFile(passwordFile, 'utf8')).trim();
  const client = new pg.Client({ host, port, user: 'steadyhand', password, database: applicationDatabase, application_name: 'sandbox' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** What runs in the directory, told from pid files. */
export function status(directory: string = sandboxConfiguration().state): SandboxStatus {
  return inspect(directory);
}

const holderGraceMs = 60_000;

/**
 * Ends the sandbox in the directory and removes everything but its logs: another process that holds it is asked to (SIGTERM), and
 * what is then left is ended from pid files. Harmless when there is none. Returns what it found.
 */
export async function down(directory: string = sandboxConfiguration().state): Promise<SandboxStatus> {
  const layout = layoutOf(directory);
  const found = inspect(directory);
  const holder = readPidFile(layout.holder);
  if (holder && holder.pid !== process.pid) await endChild(holder, holderGraceMs);
  await clear(layout, { logs: false });
  release(layout);
  return found;
}
