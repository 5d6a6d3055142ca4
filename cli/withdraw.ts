import type { Command } from 'commander';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { questionOf, runPath } from './run-of.ts';
import { sendDecision } from './send-decision.ts';
import type { World } from './world.ts';

export function withdrawCommand(world: World): Command {
  return clientCommand('withdraw', 'Take your agreement back while the question is still open')
    .argument('<run>', 'ULID')
    .option('--reason <text>', 'why; it is recorded and shown')
    .option('--step <id>', 'which approval, when several are open')
    .action(async (run: string, options: ClientOptions & { reason?: string; step?: string }) => {
      const { apiClient } = await import('./client.ts');
      const { runDetailSchema } = await import('../api/answers.ts');
      const client = apiClient(world, options);
      const path = runPath(run);
      const question = questionOf(await client.get(path, runDetailSchema), 'approval', options.step);
      await sendDecision(world, client, path, question, 'withdraw', options.reason);
    });
}
