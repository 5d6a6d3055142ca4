import type { Command } from 'commander';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { columns } from './columns.ts';
import { line } from './plain.ts';
import type { World } from './world.ts';

interface RunsOptions extends ClientOptions {
  database?: string;
  state?: string;
  before?: string;
  limit: string;
  json?: true;
}

export function runsCommand(world: World): Command {
  return clientCommand('runs', 'List runs, newest first')
    .option('--database <name>', 'only of this database')
    .option('--state <state>', 'only in this state: requested, planning, waiting, running, parked, rolling-back, closed')
    .option('--before <run>', 'the page that comes after this run')
    .option('--limit <count>', 'at most so many', '20')
    .option('--json', 'as JSON')
    .action(async (options: RunsOptions) => {
      const { apiClient } = await import('./client.ts');
      const { runsSchema } = await import('../api/answers.ts');
      const query = new URLSearchParams({ limit: options.limit });
      for (const name of ['database', 'state', 'before'] as const) {
        const value = options[name];
        if (value !== undefined) query.set(name, value);
      }
      const { runs, next } = await apiClient(world, options).get(`/v1/runs?${query.toString()}`, runsSchema);
      if (options.json === true) {
        world.out(`${JSON.stringify({ runs, next }, null, 2)}\n`);
        return;
      }
      const rows = runs.map((run) => [
        run.run.split('/').at(-1) ?? run.run,
        run.runbook,
        run.database,
        run.outcome ?? run.state,
        run.requestedAt.slice(0, 16),
        line(run.requester),
        line(run.ticket ?? ''),
      ]);
      world.out(rows.length === 0 ? 'no runs\n' : `${columns(rows).join('\n')}\n`);
      if (next !== null) world.err(`More: steadyhand runs --before ${next}\n`);
    });
}
