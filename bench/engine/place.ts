import { fork, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { ulid } from 'ulid';
import { createControl } from '../../control/control.ts';
import type { Control } from '../../control/contract.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { startCluster } from '../../sandbox/postgres.ts';
import { startTemporal, type TemporalServer } from '../../sandbox/temporal.ts';
import { startRun } from '../../temporal/runs.ts';
import type { BenchOptions } from '../frame/bench.ts';
import { controlDatabase } from '../frame/control-database.ts';
import { openScratch } from '../frame/scratch.ts';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';

export type Polling = 'default' | 'fast';

/** What all measurements share: a control database as the product has it (it syncs), and the workflows as one file. */
export interface Place {
  readonly control: Control;
  /** The path of the `temporal` command. */
  readonly temporal: string;
  /** Another server with its own workers. `stop()` it. */
  server(polling: Polling): Promise<Server>;
  stop(): Promise<void>;
}

export interface Server {
  readonly client: Client;
  worker(): Promise<MeasuredWorker>;
  stop(): Promise<void>;
}

export interface MeasuredWorker {
  readonly client: Client;
  readonly taskQueue: string;
  /** A run of the engine, requested and started as the API does it; its workflow id. */
  request(runbook: string): Promise<string>;
  /** When the first step of the workflow began; waits for it. */
  began(run: string): Promise<{ readonly at: number; readonly delayMs: number }>;
  memory(): Promise<{ readonly resident: number; readonly heap: number }>;
  stop(): Promise<void>;
}

export async function openPlace({ log, signal }: Pick<BenchOptions, 'log' | 'signal'>): Promise<Place> {
  const { directory, endings, stop } = await openScratch(signal);
  try {
    const cluster = await startCluster({ name: 'control', major: 18, directory: join(directory, 'control') });
    endings.push(() => cluster.stop());
    const url = await controlDatabase(cluster);
    const control = createControl({ connectionString: url, applicationName: 'steadyhand bench' });
    endings.push(() => control.close());
    const bundle = await bundled(directory);
    let temporal = '';
    const server = async (polling: Polling): Promise<Server> => {
      const started = await startServer(join(directory, polling), polling, log);
      endings.push(() => started.stop());
      temporal = started.program;
      const client = new Client({ connection: await Connection.connect({ address: started.address }) });
      return {
        client,
        worker: () => startWorker({ address: started.address, taskQueue: `bench-${ulid()}`, control: url, bundle }, control, client),
        stop: async () => {
          await client.connection.close();
          await started.stop();
        },
      };
    };
    return {
      control,
      get temporal() {
        return temporal;
      },
      server,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bundled(directory: string): Promise<string> {
  const workflowsPath = fileURLToPath(new URL('./stories.ts', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const file = join(directory, 'workflows.js');
  await writeFile(file, code);
  return file;
}

async function startServer(directory: string, polling: Polling, log: (line: string) => void): Promise<TemporalServer> {
  const files = { directory, logFile: `${directory}.log`, pidFile: `${directory}.json` };
  return await startTemporal({ configuration: sandboxConfiguration(), ...files, polling, log });
}

async function startWorker(start: WorkerStart, control: Control, client: Client): Promise<MeasuredWorker> {
  const child = fork(fileURLToPath(new URL('./worker-main.ts', import.meta.url)), {
    execArgv: ['--expose-gc', '--import', new URL('./heap-in-use.ts', import.meta.url).href],
  });
  const begun = new Map<string, { at: number; delayMs: number }>();
  const waiting = new Map<string, () => void>();
  child.on('message', (message: FromWorker) => {
    if (message.kind !== 'began' || begun.has(message.run)) return;
    begun.set(message.run, message);
    waiting.get(message.run)?.();
  });
  const ready = answer(child, 'ready');
  tell(child, { kind: 'start', start });
  await ready;
  const { taskQueue } = start;
  return {
    client,
    taskQueue,
    request: (runbook) => request(control, client, taskQueue, runbook),
    began: async (run) => {
      if (!begun.has(run)) await new Promise<void>((resolve) => waiting.set(run, resolve));
      waiting.delete(run);
      const seen = begun.get(run);
      if (!seen) throw new Error(`${run} has not begun`);
      return seen;
    },
    memory: async () => {
      const told = answer(child, 'memory');
      tell(child, { kind: 'memory' });
      return await told;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      tell(child, { kind: 'stop' });
      await ended;
    },
  };
}

function tell(child: ChildProcess, message: ToWorker): void {
  child.send(message);
}

async function answer<Kind extends FromWorker['kind']>(child: ChildProcess, kind: Kind): Promise<Extract<FromWorker, { kind: Kind }>> {
  return await new Promise((resolve, reject) => {
    const hear = (message: FromWorker): void => {
      if (message.kind !== kind) return;
      child.off('message', hear).off('exit', gone);
      // Its kind was looked at.
      resolve(message as Extract<FromWorker, { kind: Kind }>);
    };
    const gone = (code: number | null): void => reject(new Error(`the worker ended with ${code}`));
    child.on('message', hear).once('exit', gone);
  });
}

async function request(control: Control, client: Client, taskQueue: string, runbook: string): Promise<string> {
  const run = `${runbook}/orders/${ulid()}`;
  const known = { runbook, version: 1, risk: 'low', database: 'orders', input: {}, requester: 'ada', channel: 'http' } as const;
  const { request: made } = await control.requests.create({ run, ...known, idempotencyKey: ulid(), bodyDigest: 'a'.repeat(64) });
  await startRun(client, made, { taskQueue });
  await control.requests.started(made.id);
  return run;
}
