import { Command } from 'commander';
import type { z } from 'zod';
import type { leaseSchema } from '../api/answers.ts';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { clock } from './clock.ts';
import { columns } from './columns.ts';
import { line } from './plain.ts';
import type { World } from './world.ts';

export function leaseCommand(world: World): Command {
  return new Command('lease')
    .description('The right of one run to change a database')
    .addCommand(listCommand(world))
    .addCommand(showCommand(world))
    .addCommand(releaseCommand(world));
}

const head = ['DATABASE', 'STATE', 'HOLDER', 'SINCE', 'WAITING', 'WHY'];

function listCommand(world: World): Command {
  return clientCommand('list', 'All of them: who has them, since when, and why')
    .option('--json', 'as JSON')
    .action(async (options: ClientOptions & { json?: true }) => {
      const { apiClient } = await import('./client.ts');
      const { leasesSchema } = await import('../api/answers.ts');
      const { leases } = await apiClient(world, options).get('/v1/leases', leasesSchema);
      if (options.json === true) {
        world.out(`${JSON.stringify(leases, null, 2)}\n`);
        return;
      }
      const rows = leases.map(({ database, state, holder, since, waiting, why }) => [
        database,
        state,
        state === 'free' ? '' : (holder ?? ''),
        since === null ? '' : clock(since, world.now()),
        waiting === 0 ? '' : String(waiting),
        line(why ?? ''),
      ]);
      world.out(rows.length === 0 ? 'no leases\n' : `${columns(world, [head, ...rows]).join('\n')}\n`);
    });
}

function showCommand(world: World): Command {
  return clientCommand('show', 'Who may change the database now')
    .argument('<database>')
    .action(async (database: string, options: ClientOptions) => {
      const { apiClient } = await import('./client.ts');
      const { leaseSchema } = await import('../api/answers.ts');
      const lease = await apiClient(world, options).get(`/v1/leases/${encodeURIComponent(database)}`, leaseSchema);
      world.out(`${leaseText(lease)}\n`);
    });
}

function releaseCommand(world: World): Command {
  return clientCommand('release', 'Free the lease of a run that ended without giving it back')
    .argument('<database>')
    .requiredOption('--reason <text>', 'why; it is recorded')
    .action(async (database: string, options: ClientOptions & { reason: string }) => {
      const { apiClient } = await import('./client.ts');
      const { leaseSchema } = await import('../api/answers.ts');
      const path = `/v1/leases/${encodeURIComponent(database)}/release`;
      const lease = await apiClient(world, options).post(path, { reason: options.reason }, leaseSchema);
      world.out(`${leaseText(lease)}\n`);
    });
}

function leaseText(lease: z.infer<typeof leaseSchema>): string {
  const holder = lease.holder === null ? '' : `  ${lease.state === 'free' ? 'last held by ' : ''}${lease.holder}`;
  return `${lease.database}  ${lease.state}${holder}${lease.since === null ? '' : `  since ${lease.since}, epoch ${lease.epoch}`}`;
}
