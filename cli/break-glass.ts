import type { Command } from 'commander';
import { clientCommand } from './client-command.ts';
import type { ApiClient, ClientOptions } from './client.ts';
import { runPath } from './run-of.ts';
import type { World } from './world.ts';

export function breakGlassCommand(world: World): Command {
  return clientCommand('break-glass', 'An emergency: let a run pass freezes and the approvals’ quorum; it is told loudly, and reviewed')
    .argument('<run>', 'ULID')
    .requiredOption('--reason <text>', 'why; it stands in the record for ever')
    .action(async (run: string, options: ClientOptions & { reason: string }) => {
      const { apiClient } = await import('./client.ts');
      await sendBreakGlass(world, apiClient(world, options), run, options.reason);
    });
}

/** Throws `forbidden` unless the policy lets the token's person do it. */
export async function sendBreakGlass(world: World, client: ApiClient, run: string, reason: string): Promise<void> {
  const { runRowSchema } = await import('../api/answers.ts');
  const { glassLines } = await import('./glass-lines.ts');
  const row = await client.post(`${runPath(run)}/break-glass`, { reason }, runRowSchema);
  world.err(`${glassLines(row).join('\n')}\n`);
}

export function reviewCommand(world: World): Command {
  return clientCommand('review', 'Say that you have looked at a closed run that broke the glass')
    .argument('<run>', 'ULID')
    .requiredOption('--reason <text>', 'what you found; it is recorded and shown')
    .action(async (run: string, options: ClientOptions & { reason: string }) => {
      const { apiClient } = await import('./client.ts');
      const { runRowSchema } = await import('../api/answers.ts');
      const { glassLines } = await import('./glass-lines.ts');
      const row = await apiClient(world, options).post(`${runPath(run)}/review`, { reason: options.reason }, runRowSchema);
      world.out(`${glassLines(row).join('\n')}\n`);
    });
}
