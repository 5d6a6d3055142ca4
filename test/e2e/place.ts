import { readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { ulid } from 'ulid';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { parse, stringify } from 'yaml';
import { acceptedSchema, judgedSchema, runDetailSchema } from '../../api/answers.ts';
import { addAlias } from '../../activities/pooling/config-file.ts';
import { apiClient, type ApiClient } from '../../cli/client.ts';
import type { RunDetail } from '../../control/contract.ts';
import type { Choice } from '../../domain/decision.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { layoutOf } from '../../sandbox/layout.ts';
import type { Cluster } from '../../sandbox/postgres.ts';
import { findPgBouncer } from '../../sandbox/pgbouncer.ts';
import { up, type Sandbox, type UpOptions } from '../../sandbox/sandbox.ts';
import { startService, type Service } from '../../sandbox/service.ts';
import type { Load, LoadOptions } from '../../sandbox/load.ts';
import { eventually } from '../support/eventually.ts';
import { startTap, type Tap } from '../support/tap.ts';

/** Where PgBouncer is missing the same cases run over the fence; test/support/run-tests.ts says so. */
export const pooled = findPgBouncer(sandboxConfiguration().path) !== undefined;

export interface Move {
  readonly sandbox: Sandbox;
  /** The database in the inventory; its target is `<database>-18`. */
  readonly database: string;
  readonly dbname: string;
  readonly temporal: Client;
  readonly taps: Readonly<Record<'source' | 'target' | 'pooler' | 'control', Tap>>;
  as(person: string): ApiClient;
  /** Another worker, as a process of its own. */
  worker(): Promise<Service>;
  endWorkers(signal: NodeJS.Signals): Promise<void>;
  /** Ends the worker that is at work on the run's step: SIGKILL. */
  killTheWorker(run: string): Promise<void>;
  load(options?: Partial<LoadOptions>): Load;
  connect(side: Side): Promise<pg.Client>;
  /** As ada. Returns the workflow id. */
  request(input?: Readonly<Record<string, unknown>>): Promise<string>;
  detail(run: string): Promise<RunDetail>;
  /** Until the run is as wanted; a run that closes or parks otherwise fails the test with its reason. */
  until(run: string, wanted: (detail: RunDetail) => boolean, withinMs?: number): Promise<RunDetail>;
  /** grace and linus agree, once it is asked. */
  agree(run: string, approval: string): Promise<void>;
  decide(run: string, person: string, choice: Choice, reason?: string): Promise<unknown>;
}

export interface MoveOptions {
  readonly pooler?: boolean;
  readonly workers?: number;
  /** `empty`: a target without the application's schema. */
  readonly target?: 'migrated' | 'empty';
  /** Another source than the sandbox's, with the application's database; ended with the test. */
  readonly source?: { start(directory: string, password: string): Promise<Cluster> };
  /** Further environment of the workers. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A sandbox for the file, and for each test a database of its own on it with taps on every wire of its workers. */
export function movePlace(options: Partial<UpOptions> = {}): { begin(move?: MoveOptions): Promise<Move> } {
  let sandbox: Sandbox;
  let api: Service;
  let temporal: Client;
  let directory: string;
  const endings: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'steadyhand-e2e-'));
    await chmod(directory, 0o755);
    sandbox = await up({
      pooler: pooled ? 'pgbouncer' : 'none',
      directory: join(directory, 'sandbox'),
      size: 20_000,
      services: false,
      log: () => undefined,
      ...options,
    });
    api = await sandbox.start('api');
    temporal = new Client({ connection: await Connection.connect({ address: sandbox.temporal.address }) });
  }, 120_000);
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end();
  }, 60_000);
  afterAll(async () => {
    await temporal.connection.close();
    await api.stop();
    await sandbox.down();
    await rm(directory, { recursive: true, force: true });
  }, 60_000);
  return {
    begin: async (move = {}) => {
      const begun = await begin(sandbox, temporal, move, endings);
      for (let count = 0; count < (move.workers ?? 1); count += 1) await begun.worker();
      return begun;
    },
  };
}

async function begin(sandbox: Sandbox, temporal: Client, options: MoveOptions, endings: (() => Promise<unknown>)[]): Promise<Move> {
  const dbname = `orders_${ulid().slice(-8).toLowerCase()}`;
  const database = dbname.replace('_', '-');
  const source = options.source ? await ownSource(sandbox, options.source, endings) : sandbox.source;
  const sides = { source, target: sandbox.target };
  await copyDatabase(sandbox, source, dbname);
  if (options.target === 'empty') await emptyDatabase(sandbox, sandbox.target, dbname);
  else await copyDatabase(sandbox, sandbox.target, dbname);
  const viaPooler = (options.pooler ?? true) && sandbox.pgbouncer !== null;
  const taps = {
    source: await startTap(source),
    target: await startTap(sandbox.target),
    pooler: await startTap(sandbox.pgbouncer ?? source),
    control: await startTap(sandbox.control),
  };
  endings.push(async () => await Promise.all(Object.values(taps).map(async (tap) => await tap.close())));
  await addToInventory(sandbox, taps, { database, dbname, viaPooler });
  const workers: Service[] = [];
  const loads: Load[] = [];
  endings.push(async () => {
    await Promise.all(loads.map(async (load) => await load.stop()));
    for (const worker of workers) worker.kill('SIGKILL');
    await Promise.all(workers.map(async (worker) => await worker.stop()));
  });
  const as = (person: string): ApiClient => apiClient({ environment: sandbox.environment }, { as: sandbox.tokens[person] ?? '' });
  const idOf = (run: string): string => run.split('/').at(-1) ?? '';
  const detail = async (run: string): Promise<RunDetail> => await as('ada').get(`/v1/runs/${idOf(run)}`, runDetailSchema);
  const until: Move['until'] = async (run, wanted, withinMs = 40_000) => {
    let last: RunDetail | undefined;
    try {
      return await eventually(async () => {
        last = await detail(run);
        if (wanted(last)) return last;
        if (last.state === 'closed') throw new Error('closed');
        return undefined;
      }, withinMs);
    } catch (error) {
      throw new Error(
        `the run is ${last?.state} ${last?.outcome ?? ''}: ${last?.because ?? last?.failure?.message ?? ''} ${JSON.stringify(last?.steps.map((one) => `${one.id} ${one.state} ${one.progress?.summary ?? ''}`))}`,
        { cause: error },
      );
    }
  };
  const decide: Move['decide'] = async (run, person, choice, reason) => {
    const question = (await detail(run)).questions[0];
    if (!question) throw new Error(`nothing is asked by ${run}`);
    const { approval, opening, digest } = question;
    return await as(person).post(
      `/v1/runs/${idOf(run)}/decisions`,
      { approval, opening, digest, choice, ...(reason ? { reason } : {}) },
      judgedSchema,
    );
  };
  return {
    sandbox,
    database,
    dbname,
    temporal,
    taps,
    as,
    detail,
    until,
    decide,
    worker: async () => {
      const worker = await startWorker(sandbox, taps, options.environment ?? {});
      workers.push(worker);
      return worker;
    },
    endWorkers: async (signal) => {
      for (const worker of workers) worker.kill(signal);
      await eventually(async () => await Promise.resolve(workers.every((worker) => !worker.alive()) || undefined));
    },
    killTheWorker: async (run) => {
      const described = await temporal.workflow.getHandle(run).describe();
      const identity = described.raw.pendingActivities?.[0]?.lastWorkerIdentity ?? '';
      const pid = Number(identity.split('@')[0]);
      const worker = workers.find((one) => one.pid === pid);
      if (!worker) throw new Error(`no worker of ours is at work: "${identity}"`);
      worker.kill('SIGKILL');
    },
    load: (more = {}) => {
      const ways = viaPooler && sandbox.pgbouncer ? [sandbox.pgbouncer] : [source, sandbox.target];
      const load = sandbox.load({ endpoints: ways.map(({ host, port }) => ({ host, port, dbname })), perSecond: 300, ...more });
      loads.push(load);
      return load;
    },
    connect: async (side) => {
      const client = await clientOf(sandbox, sides[side], dbname);
      endings.push(async () => await client.end());
      return client;
    },
    request: async (input = {}) => {
      const body = { runbook: 'migration-cutover', database, input: { target: `${database}-18`, schema: 'already-there', ...input } };
      return (await as('ada').post('/v1/runs', body, acceptedSchema, { 'Idempotency-Key': ulid() })).run;
    },
    agree: async (run, approval) => {
      await until(run, (now) => now.questions.some((one) => one.approval === approval));
      await decide(run, 'grace', 'approve');
      await decide(run, 'linus', 'approve');
    },
  };
}

async function copyDatabase(sandbox: Sandbox, side: Address, dbname: string): Promise<void> {
  await superuser(sandbox, side, `CREATE DATABASE ${dbname} TEMPLATE orders OWNER orders_owner STRATEGY file_copy`);
}

async function emptyDatabase(sandbox: Sandbox, side: Address, dbname: string): Promise<void> {
  await superuser(sandbox, side, `CREATE DATABASE ${dbname} TEMPLATE template0 OWNER orders_owner`);
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

type Side = 'source' | 'target';

type Address = Pick<Cluster, 'host' | 'port'>;

async function passwordOf(sandbox: Sandbox): Promise<string> {
  return (await readFile(layoutOf(sandbox.directory).secretFile('steadyhand'), 'utf8')).trim();
}

async function ownSource(
  sandbox: Sandbox,
  source: NonNullable<MoveOptions['source']>,
  endings: (() => Promise<unknown>)[],
): Promise<Cluster> {
  const cluster = await source.start(join(sandbox.directory, `source-${ulid()}`), await passwordOf(sandbox));
  endings.push(async () => await cluster.stop());
  return cluster;
}

async function clientOf(sandbox: Sandbox, { host, port }: Address, database: string): Promise<pg.Client> {
  const password = await passwordOf(sandbox);
  const client = new pg.Client({ host, port, user: 'steadyhand', password, database, application_name: 'test' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

interface Entry {
  readonly database: string;
  readonly dbname: string;
  readonly viaPooler: boolean;
}

/** The API and the workers see the servers through the taps; so both make the same plan. */
async function addToInventory(sandbox: Sandbox, taps: Move['taps'], { database, dbname, viaPooler }: Entry): Promise<void> {
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
    ...(pooler && viaPooler ? { pooler: { ...pooler, host: taps.pooler.host, port: taps.pooler.port, alias: dbname } } : {}),
  };
  inventory.databases[`${database}-18`] = through(new18, taps.target);
  writeFileSync(sandbox.inventoryFile, stringify(inventory, { aliasDuplicateObjects: false }));
  if (!viaPooler || !sandbox.pgbouncer) return;
  await addAlias(sandbox.pgbouncer.configFile, dbname, 'orders', { ...taps.source, dbname });
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

let workerNumber = 0;

async function startWorker(sandbox: Sandbox, taps: Move['taps'], more: Readonly<Record<string, string>>): Promise<Service> {
  workerNumber += 1;
  const control = new URL(sandbox.environment['STEADYHAND_CONTROL_URL'] ?? '');
  control.port = String(taps.control.port);
  return await startService({
    layout: layoutOf(sandbox.directory),
    command: 'worker',
    args: ['--bundle', inject('workflowBundle')],
    name: `worker-${workerNumber}`,
    environment: { ...sandboxConfiguration().environment, ...sandbox.environment, STEADYHAND_CONTROL_URL: control.href, ...more },
    log: () => undefined,
  });
}

/** The table synchronisation's COPY waits on the wire until it is let go. */
export function holdTheCopy(move: Move): { letGo: () => void } {
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  void move.taps.source.set({ statement: /COPY .* TO STDOUT/s, when: 'sent', spring: async () => await gate });
  return { letGo };
}
