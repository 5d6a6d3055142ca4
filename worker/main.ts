import { DefaultLogger, Runtime, Worker, type LogMetadata, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { connectTemporal } from '../temporal/connect.ts';
import { redactExcerpt } from '../domain/redaction.ts';
import { dataConverterOf } from '../temporal/data-converter.ts';
import { isOpen } from '../temporal/runs.ts';
import { requireSearchAttributes } from '../temporal/search-attributes.ts';
import { connectNative } from './connect-native.ts';
import { workflowBundle } from './bundle.ts';
import { readConfig, type Config } from './config.ts';
import { createDependencies } from './dependencies.ts';
import { liveWithStrays } from './stray-rejections.ts';
import { wire } from './wiring.ts';

/** A bundle that was built ahead: its file, or nothing to build it now. */
export interface WorkerStart {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly bundle?: string;
}

/**
 * Runs a worker until SIGINT or SIGTERM: workflows and quick activities on the base queue, long work and the switch on queues
 * with slots of their own. Says "worker ready" in the log when all three poll. Throws `configuration-invalid`,
 * `temporal-unavailable` or `search-attributes-missing` at the start.
 */
export async function runWorker({ environment, bundle }: WorkerStart): Promise<void> {
  const config = readConfig(environment);
  const dependencies = createDependencies(config, { name: 'steadyhand worker', environment });
  const { log } = dependencies;
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      // The queues for long work and the switch have activities alone.
      if (!message.startsWith('No workflows registered')) log.warn({ temporal: level, ...whyOf(meta) }, message);
    }),
  });
  process.on('unhandledRejection', liveWithStrays(log));
  const endings: (() => Promise<unknown>)[] = [() => dependencies.close()];
  try {
    await dependencies.control.ping();
    const client = await connectTemporal(config.temporal, { dataConverter: dataConverterOf(config.payloadKeys) });
    endings.push(() => client.connection.close());
    await requireSearchAttributes(client);
    const connection = await connectNative(config);
    endings.push(() => connection.close());
    const activities = wire(dependencies, (run) => isOpen(client, run));
    const workers = await createWorkers(config, connection, activities, bundle);
    const running = workers.map((worker) => worker.run());
    log.info({ taskQueue: config.taskQueue }, 'worker ready');
    await allDone(workers, running);
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

/** What is wrong, when the SDK's logger was given an error: such as a payload key that this worker does not have. */
function whyOf(meta: LogMetadata | undefined): { because?: string } {
  const error: unknown = meta?.['error'];
  return error instanceof Error ? { because: redactExcerpt(error.message, 4_000) } : {};
}

/** Until all have stopped. When one breaks, the others are stopped too: half a worker would leave work lying on its queue. */
async function allDone(workers: readonly Worker[], running: readonly Promise<void>[]): Promise<void> {
  try {
    await Promise.all(running);
  } catch (error) {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.allSettled(running);
    throw error;
  }
}

async function createWorkers(
  config: Config,
  connection: NativeConnection,
  activities: NonNullable<WorkerOptions['activities']>,
  bundle: string | undefined,
): Promise<Worker[]> {
  const base = {
    connection,
    namespace: config.temporal.namespace ?? 'default',
    activities,
    shutdownGraceTime: '5s',
    dataConverter: dataConverterOf(config.payloadKeys),
  } as const;
  const workflows = await workflowBundle(bundle, { encodes: config.payloadKeys.length > 0 });
  return await Promise.all([
    // A dead worker's sticky queue holds a run up for ten seconds by default.
    Worker.create({
      ...base,
      taskQueue: config.taskQueue,
      workflowBundle: workflows,
      stickyQueueScheduleToStartTimeout: '1s',
      maxHeartbeatThrottleInterval: '1s',
    }),
    Worker.create({
      ...base,
      taskQueue: `${config.taskQueue}-long`,
      maxConcurrentActivityTaskExecutions: 8,
      maxHeartbeatThrottleInterval: '1s',
    }),
    Worker.create({
      ...base,
      taskQueue: `${config.taskQueue}-switch`,
      maxConcurrentActivityTaskExecutions: 8,
      maxHeartbeatThrottleInterval: '200ms',
    }),
  ]);
}
