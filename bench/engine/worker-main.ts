// The worker of the bench, in a process of its own so that its memory can be told: the product's engine and binding over steps
// that do nothing, and the bare activities beside them.
import { BroadcastChannel } from 'node:worker_threads';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import type { Effects } from '../../activities/attempt.ts';
import { engineVerdicts } from '../../activities/engine/contract.ts';
import { createEngineActivities } from '../../activities/engine/create-engine-activities.ts';
import { ensure } from '../../activities/engine/ensure.ts';
import { createPlanner } from '../../activities/engine/planner.ts';
import { createControl } from '../../control/control.ts';
import type { Control } from '../../control/contract.ts';
import { notYet } from '../../domain/failure.ts';
import { isOpen } from '../../temporal/runs.ts';
import { bind } from '../../worker/bind.ts';
import type { MeasuredActivities } from './contract.ts';
import { heapChannel, heapInUse } from './heap-in-use.ts';
import { inventory } from './inventory.ts';
import { nowMs, type FromWorker, type ToWorker, type WorkerStart } from './messages.ts';
import { catalog } from './plans.ts';

const say = (message: FromWorker): void => void process.send?.(message);

function began(): void {
  const { info } = Context.current();
  const delayMs = Date.now() - info.currentAttemptScheduledTimestampMs;
  say({ kind: 'began', run: info.workflowExecution?.workflowId ?? '', at: nowMs(), delayMs });
}

function measured(): Effects<MeasuredActivities> {
  const made = new Set<string>();
  return {
    look: async () => {
      began();
      return await Promise.resolve({ seen: 'it' });
    },
    make: async (_, attempt) => {
      began();
      return await ensure<{ made: string }>(attempt, {
        observe: async () =>
          await Promise.resolve(made.has(attempt.key) ? { state: 'there', result: { made: attempt.step } } : { state: 'absent' }),
        act: async () => {
          await Promise.resolve(made.add(attempt.key));
        },
      });
    },
    unmake: async (_, attempt) => await attempt.settle('nothing-to-undo'),
    await: async () => {
      await Promise.reject(notYet('it is not there', 2_000));
    },
  };
}

function activitiesOf(control: Control, client: Client): Record<string, (...args: never[]) => Promise<unknown>> {
  const log = pino({ level: 'silent' });
  const facts = { binding: { shape: 'round' }, observed: {} };
  const takeFacts = Object.fromEntries(Object.keys(catalog).map((name) => [name, async () => await Promise.resolve(facts)]));
  const planner = createPlanner({ catalog, commands: {}, control, takeFacts });
  const engine = createEngineActivities({
    control,
    catalog,
    planner,
    inventory: () => inventory,
    holderOpen: (run) => isOpen(client, run),
  });
  return {
    ...bind('engine', engine, control, log, engineVerdicts),
    ...bind<MeasuredActivities>('bench', measured(), control, log),
    'bare.step': async (step: string) => {
      began();
      return await Promise.resolve({ made: step });
    },
  };
}

async function run({ address, taskQueue, control: url, bundle }: WorkerStart): Promise<() => Promise<void>> {
  // Runs that are ended in the middle of a look are no news.
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
  const control = createControl({ connectionString: url, applicationName: 'steadyhand bench' });
  const client = new Client({ connection: await Connection.connect({ address }) });
  const connection = await NativeConnection.connect({ address });
  // As worker/main.ts makes the one for workflows and quick activities.
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath: bundle },
    activities: activitiesOf(control, client),
    shutdownGraceTime: '1s',
    stickyQueueScheduleToStartTimeout: '1s',
    maxHeartbeatThrottleInterval: '1s',
  });
  const running = worker.run();
  say({ kind: 'ready' });
  return async () => {
    worker.shutdown();
    await running;
    await control.close();
    await client.connection.close();
    await connection.close();
  };
}

async function memory(): Promise<void> {
  const channel = new BroadcastChannel(heapChannel);
  const workflows = new Promise<number>((resolve) => {
    channel.onmessage = ({ data }: { data?: unknown }) => resolve(Number(data));
  });
  channel.postMessage('ask');
  say({ kind: 'memory', heap: heapInUse() + (await workflows), resident: process.memoryUsage().rss });
  channel.close();
}

// Whoever started it is gone.
process.once('disconnect', () => process.exit());

let stop: (() => Promise<void>) | undefined;
process.on('message', (message: ToWorker) => {
  void (async () => {
    if (message.kind === 'start') stop = await run(message.start);
    else if (message.kind === 'memory') await memory();
    else {
      await stop?.();
      process.disconnect();
    }
  })();
});
