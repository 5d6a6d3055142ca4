import type { Command } from 'commander';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { line } from './plain.ts';
import { runPath } from './run-of.ts';
import type { World } from './world.ts';

export function cancelCommand(world: World): Command {
  return clientCommand('cancel', 'Cancel a run: before the point of no return what it changed is undone')
    .argument('<run>', 'ULID')
    .requiredOption('--reason <text>', 'why; it is recorded and shown')
    .action(async (run: string, options: ClientOptions & { reason: string }) => {
      const { apiClient } = await import('./client.ts');
      const { judgedSchema } = await import('../api/answers.ts');
      const judged = await apiClient(world, options).post(`${runPath(run)}/cancel`, { reason: options.reason }, judgedSchema);
      const told = judged.counts === null ? line(judged.because) : 'it counts; what the run has changed is being undone';
      world.out(`cancel: ${told}\n`);
      world.err(`Watch it: steadyhand watch ${run}\n`);
    });
}
