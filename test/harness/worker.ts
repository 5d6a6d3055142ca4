import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { bind } from '../../worker/bind.ts';
import type { Faults } from './faults.ts';

/** The tests' own worker in this process, on the three queues of the product's, with faults around every activity. */
export async function startWorker(options: {
  readonly address: string;
  readonly taskQueue: string;
  /** The file with the workflows. */
  readonly bundle: string;
  readonly faults: Faults;
  readonly activities: ReturnType<typeof bind>;
}): Promise<() => Promise<void>> {
  installRuntime();
  const { address, taskQueue, bundle, faults, activities } = options;
  const connection = await NativeConnection.connect({ address });
  const shared = {
    ...{ connection, activities },
    shutdownGraceTime: '100ms',
    // So that a cancel is heard at once.
    maxHeartbeatThrottleInterval: '100ms',
    interceptors: { activity: [faults.interceptor] },
  } satisfies Partial<WorkerOptions>;
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue,
      workflowBundle: { codePath: bundle },
      stickyQueueScheduleToStartTimeout: '1s',
    }),
    Worker.create({ ...shared, taskQueue: `${taskQueue}-long` }),
    Worker.create({ ...shared, taskQueue: `${taskQueue}-switch` }),
  ]);
  const running = workers.map((worker) => worker.run());
  return async () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running);
    await connection.close();
  };
}

let installed = false;

/** Once a process. */
function installRuntime(): void {
  if (!installed) Runtime.install({ logger: new DefaultLogger('ERROR') });
  installed = true;
}
