import { InvalidArgumentError, type Command } from 'commander';
import type { z } from 'zod';
import type { proofsSchema } from '../api/proof-answers.ts';
import { durationText } from '../domain/duration.ts';
import { runNameOf } from '../domain/run.ts';
import { clientCommand } from './client-command.ts';
import type { ClientOptions } from './client.ts';
import { columns } from './columns.ts';
import { line } from './plain.ts';
import type { World } from './world.ts';

interface ProofsOptions extends ClientOptions {
  before?: string;
  limit: string;
  json?: true;
}

type Page = z.infer<typeof proofsSchema>;

/** Whether it proves anything comes early, and last what may be as long as an ARN. */
const head = ['PROVED', 'DATABASE', 'VERIFIED', 'RECOVERED TO', 'AVAILABLE', 'HYDRATED', 'RUN', 'BACKUP'];

export function proofsCommand(world: World): Command {
  return clientCommand('proofs', 'Restores that were made and looked at, newest first; warns where the last one is too long ago')
    .argument('[database]', 'only of this one')
    .option('--before <proof>', 'the page that comes after this proof')
    .option('--limit <count>', 'at most so many, up to 200', count, '20')
    .option('--json', 'as JSON')
    .action(async (database: string | undefined, options: ProofsOptions) => {
      const { apiClient } = await import('./client.ts');
      const { proofsSchema } = await import('../api/proof-answers.ts');
      const query = new URLSearchParams({ limit: options.limit });
      if (database !== undefined) query.set('database', database);
      if (options.before !== undefined) query.set('before', options.before);
      const page = await apiClient(world, options).get(`/v1/proofs?${query.toString()}`, proofsSchema);
      if (options.json === true) world.out(`${JSON.stringify(page, null, 2)}\n`);
      else world.out(page.proofs.length === 0 ? 'no proofs\n' : `${columns(world, [head, ...page.proofs.map(cells)]).join('\n')}\n`);
      for (const one of page.overdue) world.err(`Warning: ${overdueText(one)}\n`);
      if (page.next !== null) world.err(`More: the same with --before ${page.next}\n`);
    });
}

const took = (seconds: number | null): string => (seconds === null ? '' : durationText(seconds * 1_000));

function cells(proof: Page['proofs'][number]): string[] {
  const { at, database, backup, recoveredTo, secondsAvailable, secondsHydrated, verified, run } = proof;
  const id = runNameOf(run).id;
  return [
    `${at.slice(0, 16)}Z`,
    database,
    verified,
    recoveredTo === null ? '' : `${recoveredTo.slice(0, 19)}Z`,
    took(secondsAvailable),
    took(secondsHydrated),
    id,
    line(backup),
  ];
}

function overdueText({ database, lastProvedAt, withinDays }: Page['overdue'][number]): string {
  const last =
    lastProvedAt === null ? 'was never restored to prove that it can be' : `was last restored to prove it on ${lastProvedAt.slice(0, 10)}`;
  return `${database} ${last}; its policy wants that every ${withinDays} days`;
}

function count(text: string): string {
  if (!/^[1-9]\d{0,2}$/.test(text) || Number(text) > 200) throw new InvalidArgumentError('a whole number from 1 to 200 is needed.');
  return text;
}
