import type { Command } from 'commander';
import { hostCommand } from './client-command.ts';
import type { World } from './world.ts';

export function apiCommand(world: World): Command {
  return hostCommand('api', 'Run the HTTP API until SIGTERM').action(async () => {
    const { runApi } = await import('../api/main.ts');
    await runApi({ environment: world.environment });
  });
}
