import { Command } from 'commander';
import { z } from 'zod';
import type { FreezeRow } from '../control/contract.ts';
import { clientCommand } from './client-command.ts';
import type { ApiClient, ClientOptions } from './client.ts';
import { momentToCome } from './moment.ts';
import { line } from './plain.ts';
import { UsageError, type World } from './world.ts';

export function freezeCommand(world: World): Command {
  return new Command('freeze')
    .description('Let no change begin on a database, or on any')
    .addCommand(onCommand(world))
    .addCommand(offCommand(world))
    .addCommand(listCommand(world));
}

interface OnOptions extends ClientOptions {
  reason: string;
  database?: string;
  until?: string;
}

function onCommand(world: World): Command {
  return clientCommand('on', 'Freeze: new runs are refused, those under way stand still before their next change')
    .requiredOption('--reason <text>', 'why; it is recorded, and told to whoever is stopped')
    .option('--database <name>', 'this one only (default: every database)')
    .option('--until <time>', 'when it ends by itself: 2h (from now), 2026-11-22, 2026-11-22T06:00:00Z (default: never)', (text) =>
      momentToCome(text, world.now()),
    )
    .action(async ({ reason, database, until, ...options }: OnOptions) => {
      const { apiClient } = await import('./client.ts');
      const { freezeSchema } = await import('../api/answers.ts');
      const freeze = await apiClient(world, options).post(
        '/v1/freezes',
        { reason, database: database ?? null, until: until ?? null },
        freezeSchema,
      );
      world.out(`${freezeText(freeze)}\n`);
      world.err(`Lift it: steadyhand freeze off ${freeze.id} --reason '…'\n`);
    });
}

function offCommand(world: World): Command {
  return clientCommand('off', 'Lift a freeze')
    .argument('[freeze]', 'ULID; may be left out when there is only one')
    .requiredOption('--reason <text>', 'why; it is recorded')
    .action(async (given: string | undefined, options: ClientOptions & { reason: string }) => {
      const { apiClient } = await import('./client.ts');
      const { freezeSchema } = await import('../api/answers.ts');
      const client = apiClient(world, options);
      const id = given ?? (await theOnlyOne(client));
      const freeze = await client.post(`/v1/freezes/${encodeURIComponent(id)}/lift`, { reason: options.reason }, freezeSchema);
      world.out(`${freezeText(freeze)}\n`);
    });
}

function listCommand(world: World): Command {
  return clientCommand('list', 'The freezes that hold, newest first')
    .option('--all', 'those that are lifted or over, too')
    .option('--json', 'as JSON')
    .action(async (options: ClientOptions & { all?: true; json?: true }) => {
      const { apiClient } = await import('./client.ts');
      const freezes = await freezesOf(apiClient(world, options), options.all === true);
      if (options.json === true) world.out(`${JSON.stringify(freezes, null, 2)}\n`);
      else world.out(freezes.length === 0 ? 'nothing is frozen\n' : `${freezes.map(freezeText).join('\n')}\n`);
    });
}

async function freezesOf(client: ApiClient, past: boolean): Promise<FreezeRow[]> {
  const { freezeSchema } = await import('../api/answers.ts');
  return (await client.get(`/v1/freezes?past=${String(past)}`, z.object({ freezes: z.array(freezeSchema) }))).freezes;
}

async function theOnlyOne(client: ApiClient): Promise<string> {
  const [first, second] = await freezesOf(client, false);
  if (first === undefined) throw new UsageError('nothing is frozen');
  if (second !== undefined) throw new UsageError('several freezes hold: say which, `steadyhand freeze list` has them');
  return first.id;
}

/** `01KA…  orders is frozen by ada since …, until …: the reason`, and how it ended. */
function freezeText(freeze: FreezeRow): string {
  const { id, holds, liftedAt, liftedBy, liftedBecause, text } = freeze;
  const lifted = liftedAt === null ? 'over' : `lifted by ${line(liftedBy ?? '')} ${liftedAt.slice(0, 16)}Z: ${line(liftedBecause ?? '')}`;
  return `${id}  ${line(text)}${holds ? '' : `  (${lifted})`}`;
}
