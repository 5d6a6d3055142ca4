import type { Command } from 'commander';
import { hostCommand } from './client-command.ts';
import type { World } from './world.ts';

export function workerCommand(world: World): Command {
  return hostCommand('worker', 'Run a worker until SIGTERM')
    .option('--bundle <file>', 'a workflow bundle that was built ahead')
    .action(async ({ bundle }: { bundle?: string }) => {
      const { runWorker } = await import('../worker/main.ts');
      await runWorker({ environment: world.environment, ...(bundle === undefined ? {} : { bundle }) });
    });
}
