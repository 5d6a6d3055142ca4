import { Command, InvalidArgumentError } from 'commander';
import { anchorOf, type Anchor } from '../domain/anchor.ts';
import { clientCommand, hostCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { eventsOf, eventText } from './event-lines.ts';
import { momentOf } from './moment.ts';
import { line } from './plain.ts';
import { runPath } from './run-of.ts';
import { withControl } from './with-control.ts';
import type { World } from './world.ts';

export function auditCommand(world: World): Command {
  return new Command('audit')
    .description('The record of every request, decision, intent and outcome')
    .addCommand(verifyCommand(world))
    .addCommand(listCommand(world));
}

function verifyCommand(world: World): Command {
  return hostCommand('verify', 'Walk the chain of the record; exit code 1 and the first bad row when it was edited')
    .option('--anchor <anchor>', 'what an earlier call printed, kept elsewhere: finds a cut-off or rewritten record too', knownAnchor)
    .action(async (options: { anchor?: Anchor }) => {
      const { rows, anchor, bad } = await withControl(world, 'audit verify', (control) =>
        control.events.verify({ anchor: options.anchor }),
      );
      if (bad !== null) {
        world.out(`BAD: row ${bad.seq}: ${line(bad.what)}\n`);
        world.bad();
        return;
      }
      const since = options.anchor === undefined ? '' : `; the anchor's ${options.anchor.seq} are still the first of them`;
      world.out(`${rows} rows, every one fits the one before it${since}\n`);
      if (anchor !== null) world.out(`anchor ${anchor}\n`);
    });
}

function knownAnchor(text: string): Anchor {
  const anchor = anchorOf(text.trim().replace(/^anchor /, ''));
  if (anchor === undefined)
    throw new InvalidArgumentError('It is the line that an earlier call printed: anchor <rows>:<64 hexadecimal digits>.');
  return anchor;
}

interface ListOptions extends ClientOptions {
  run?: string;
  kind?: string;
  actor?: string;
  since?: string;
  until?: string;
  after?: string;
  json?: true;
}

const filters = ['kind', 'actor', 'since', 'until', 'after'] as const;

function listCommand(world: World): Command {
  const moment = (text: string): string => momentOf(text, world.now());
  return clientCommand('list', 'The record, oldest first')
    .option('--run <run>', 'only of this run')
    .option('--kind <kind>', 'only of this kind, such as decision.made')
    .option('--actor <name>', 'only what this person or part did')
    .option('--since <time>', 'recorded at this time or later: 24h (ago), 2026-11-21, 2026-11-21T03:00:00Z', moment)
    .option('--until <time>', 'recorded before this time', moment)
    .option('--after <seq>', 'only what comes after this number')
    .option('--json', 'a JSON object a line')
    .action(async (options: ListOptions) => {
      const { apiClient } = await import('./client.ts');
      const run = options.run === undefined ? undefined : runPath(options.run).split('/').at(-1);
      const asked = [['run', run], ...filters.map((name) => [name, options[name]])];
      const filter: Record<string, string> = Object.fromEntries(asked.filter(([, value]) => value !== undefined));
      for await (const event of eventsOf(apiClient(world, options), '/v1/events', filter)) {
        world.out(`${options.json === true ? JSON.stringify(event) : eventText(event)}\n`);
      }
    });
}
