// The product's worker, as worker/main.ts makes it, with the looks at AWS compressed like AWS itself: `worker-main.ts <ms between looks>`.
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { createAws } from '../../activities/aws/aws.ts';
import { createRdsProvider } from '../../activities/providers/rds/create-rds-provider.ts';
import { connectTemporal } from '../../temporal/connect.ts';
import { isOpen } from '../../temporal/runs.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { readConfig } from '../../worker/config.ts';
import { connectNative } from '../../worker/connect-native.ts';
import { createDependencies } from '../../worker/dependencies.ts';
import { wire } from '../../worker/wiring.ts';
import { ready } from './messages.ts';

const graceMs = 60_000;

Runtime.install({ logger: new DefaultLogger('ERROR') });
const config = { ...readConfig(process.env), logLevel: 'warn' as const };
const dependencies = createDependencies(config, { name: 'steadyhand bench', environment: process.env });
const rds = createRdsProvider(dependencies.servers, createAws(), { lookAgainMs: Number(process.argv[2]), graceMs });
const client = await connectTemporal(config.temporal);
const connection = await connectNative(config);
const activities = wire({ ...dependencies, providers: { ...dependencies.providers, rds } }, (run) => isOpen(client, run));
const { taskQueue } = config;
const shared = { connection, activities, shutdownGraceTime: '1s', maxHeartbeatThrottleInterval: '1s' } as const;
const workers = await Promise.all([
  Worker.create({ ...shared, taskQueue, workflowBundle: await bundleWorkflows(), stickyQueueScheduleToStartTimeout: '1s' }),
  Worker.create({ ...shared, taskQueue: `${taskQueue}-long` }),
]);
const running = workers.map((worker) => worker.run());
// Whoever started it has ended it, or is gone.
process.once('disconnect', () => {
  for (const worker of workers) worker.shutdown();
});
process.send?.(ready);
await Promise.all(running);
await dependencies.close();
await client.connection.close();
await connection.close();
