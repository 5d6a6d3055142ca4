import { InvalidArgumentError, Option, type Command } from 'commander';
import type { RunRow } from '../control/contract.ts';
import { outcomes, runNameOf, runStates } from '../domain/run.ts';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { columns } from './columns.ts';
import { momentOf } from './moment.ts';
import { line } from './plain.ts';
import { waitingText } from './waiting-text.ts';
import type { World } from './world.ts';

interface RunsOptions extends ClientOptions {
  database?: string;
  runbook?: string;
  state?: string;
  outcome?: string;
  requester?: string;
  breakGlass?: string;
  since?: string;
  until?: string;
  before?: string;
  limit: string;
  json?: true;
}

const filters = ['database', 'runbook', 'state', 'outcome', 'requester', 'breakGlass', 'since', 'until', 'before'] as const;

const head = ['RUN', 'RUNBOOK', 'DATABASE', 'STATE', 'ASKED FOR', 'BY', 'TICKET'];

export function runsCommand(world: World): Command {
  const moment = (text: string): string => momentOf(text, world.now());
  return clientCommand('runs', 'List runs, newest first')
    .option('--database <name>', 'only of this database')
    .option('--runbook <name>', 'only of this runbook')
    .addOption(new Option('--state <state>', 'only in this state').choices(runStates))
    .addOption(new Option('--outcome <outcome>', 'only closed ones that ended so').choices(outcomes))
    .option('--requester <person>', 'only those that this person asked for')
    .addOption(new Option('--break-glass <which>', 'only those that broke the glass').choices(['used', 'not-reviewed']))
    .option('--since <time>', 'asked for at this time or later: 24h (ago), 2026-11-21, 2026-11-21T03:00:00Z', moment)
    .option('--until <time>', 'asked for before this time', moment)
    .option('--before <run>', 'the page that comes after this run')
    .option('--limit <count>', 'at most so many, up to 200', count, '20')
    .option('--json', 'as JSON')
    .action(async (options: RunsOptions) => {
      const { apiClient } = await import('./client.ts');
      const { runsSchema } = await import('../api/answers.ts');
      const query = new URLSearchParams({ limit: options.limit });
      for (const name of filters) {
        const value = options[name];
        if (value !== undefined) query.set(name, value);
      }
      const client = apiClient(world, options);
      const { runs, next } = await client.get(`/v1/runs?${query.toString()}`, runsSchema);
      if (options.json === true) {
        world.out(`${JSON.stringify({ runs, next }, null, 2)}\n`);
        return;
      }
      const rows = runs.map((run) => [
        run.run.split('/').at(-1) ?? run.run,
        run.runbook,
        run.database,
        stateText(run),
        `${run.requestedAt.slice(0, 16)}Z`,
        line(run.requester),
        line(run.ticket ?? ''),
      ]);
      const waiting = runs.flatMap((run) => waitingLine(run, world.now()));
      world.out(rows.length === 0 ? 'no runs\n' : `${[...columns(world, [head, ...rows]), ...waiting].join('\n')}\n`);
      if (next !== null) world.err(`More: the same with --before ${next}\n`);
      if (runs.every((run) => run.state === 'closed')) return;
      const { serviceNotes } = await import('./service-note.ts');
      for (const note of await serviceNotes(client)) world.err(`Note: ${note}\n`);
    });
}

/** Below the table: who waits for a lease, and for whom. */
function waitingLine(run: RunRow, now: number): string[] {
  const text = waitingText(run, now);
  return text === undefined ? [] : [`${runNameOf(run.run).id}  ${text}`];
}

function stateText({ outcome, state, frozen, breakGlass, review }: RunRow): string {
  const glass = breakGlass === null ? '' : `, BREAK-GLASS${state === 'closed' && review === null ? ', not reviewed' : ''}`;
  return `${outcome ?? state}${frozen === null ? '' : ', frozen'}${glass}`;
}

function count(text: string): string {
  if (!/^[1-9]\d{0,2}$/.test(text) || Number(text) > 200) throw new InvalidArgumentError('a whole number from 1 to 200 is needed.');
  return text;
}
