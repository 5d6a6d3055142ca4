import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { ulid } from 'ulid';
import { afterAll, afterEach, beforeAll, inject, vi } from 'vitest';
import { acceptedSchema, judgedSchema, runDetailSchema } from '../../api/answers.ts';
import { apiClient, type ApiClient } from '../../cli/client.ts';
import type { RunDetail } from '../../control/contract.ts';
import type { Choice } from '../../domain/decision.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { layoutOf } from '../../sandbox/layout.ts';
import { findPgBouncer } from '../../sandbox/pgbouncer.ts';
import { up, type Sandbox, type UpOptions } from '../../sandbox/sandbox.ts';
import { startService, type Service } from '../../sandbox/service.ts';
import type { Load, LoadOptions } from '../../sandbox/load.ts';
import { eventually } from '../support/eventually.ts';
import { startTap } from '../support/tap.ts';
import {
  addToInventory,
  aliasOf,
  copyDatabase,
  emptyDatabase,
  fillOwn,
  ownSource,
  type OwnDatabase,
  type OwnSource,
  type Taps,
} from './databases.ts';
import { clientOf } from '../support/sandbox-client.ts';

/** Where PgBouncer is missing the same cases run over the fence; test/support/run-tests.ts says so. */
export const pooled = findPgBouncer(sandboxConfiguration().path) !== undefined;

export interface Move {
  readonly sandbox: Sandbox;
  /** The database in the inventory; its target is `<database>-18`. */
  readonly database: string;
  readonly dbname: string;
  readonly temporal: Client;
  readonly taps: Taps;
  as(person: string): ApiClient;
  /** Another worker, as a process of its own. */
  worker(): Promise<Service>;
  endWorkers(signal: NodeJS.Signals): Promise<void>;
  /** Ends the worker that is at work on the run's step: SIGKILL. */
  killTheWorker(run: string): Promise<void>;
  /** Stops that worker in its tracks (SIGSTOP) until it is woken up; `end` tells it to stop (SIGTERM) and waits until it has. */
  freezeTheWorker(run: string): Promise<{ wake: () => void; end: () => Promise<void> }>;
  load(options?: Partial<LoadOptions>): Load;
  connect(side: 'source' | 'target'): Promise<pg.Client>;
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
  readonly source?: OwnSource;
  /** Another database than the application's, with a name of its own. */
  readonly own?: OwnDatabase;
  /** Further environment of the workers. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A sandbox for the file, and for each test a database of its own on it with taps on every wire of its workers. */
export function movePlace(options: Partial<UpOptions> = {}): { begin(move?: MoveOptions): Promise<Move> } {
  // A move takes half a minute on a machine that does other things, too.
  vi.setConfig({ testTimeout: 180_000 });
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
  const database = `orders-${ulid().slice(-8).toLowerCase()}`;
  const dbname = options.own?.dbname ?? database.replace('-', '_');
  const source = options.source ? await ownSource(sandbox, options.source, endings) : sandbox.source;
  const sides = { source, target: sandbox.target };
  if (options.own) await fillOwn(sandbox, sides, options.own, options.target);
  else {
    await copyDatabase(sandbox, source, dbname);
    if (options.target === 'empty') await emptyDatabase(sandbox, sandbox.target, dbname);
    else await copyDatabase(sandbox, sandbox.target, dbname);
  }
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
      return await eventually(
        async () => {
          last = await detail(run);
          if (wanted(last)) return last;
          if (last.state === 'closed') throw new Error('closed');
          return undefined;
          // The API takes 20 requests a second from a token.
        },
        withinMs,
        100,
      );
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
  const atWork = async (run: string): Promise<Service> => {
    const described = await temporal.workflow.getHandle(run).describe();
    const identity = described.raw.pendingActivities?.[0]?.lastWorkerIdentity ?? '';
    const pid = Number(identity.split('@')[0]);
    const worker = workers.find((one) => one.pid === pid);
    if (!worker) throw new Error(`no worker of ours is at work: "${identity}"`);
    return worker;
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
      (await atWork(run)).kill('SIGKILL');
    },
    freezeTheWorker: async (run) => {
      const worker = await atWork(run);
      worker.kill('SIGSTOP');
      return { wake: () => worker.kill('SIGCONT'), end: async () => await worker.stop() };
    },
    load: (more = {}) => {
      const ways = viaPooler && sandbox.pgbouncer ? [sandbox.pgbouncer] : [source, sandbox.target];
      const called = viaPooler ? aliasOf(database) : dbname;
      const load = sandbox.load({ endpoints: ways.map(({ host, port }) => ({ host, port, dbname: called })), perSecond: 300, ...more });
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

let workerNumber = 0;

async function startWorker(sandbox: Sandbox, taps: Taps, more: Readonly<Record<string, string>>): Promise<Service> {
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
