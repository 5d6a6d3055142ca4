import type { Command } from 'commander';
import type { z } from 'zod';
import type { EventRow } from '../control/contract.ts';
import type { janitorSchema } from '../api/janitor-answers.ts';
import { durationText } from '../domain/duration.ts';
import { clientCommand } from './client-command.ts';
import type { ApiClient, ClientOptions } from './client.ts';
import { eventsOf } from './event-lines.ts';
import { line } from './plain.ts';
import { runPath } from './run-of.ts';
import { UsageError, type World } from './world.ts';

interface JanitorOptions extends ClientOptions {
  database?: string;
  remove?: string;
  reason?: string;
  json?: true;
}

const lookEveryMs = 1_000;

export function janitorCommand(world: World): Command {
  return clientCommand(
    'janitor',
    'What runs that have ended left behind on databases and at their providers, what they keep there, and what to do about each',
  )
    .option('--database <name>', 'look at this one only')
    .option('--remove <run>', 'take back what this run left, by its own undos; only where that is safe')
    .option('--reason <text>', 'why it is removed; it is recorded')
    .option('--json', 'as JSON')
    .action(async (options: JanitorOptions) => {
      if (options.remove !== undefined) await remove(world, options, options.remove);
      else await list(world, options);
    });
}

async function list(world: World, options: JanitorOptions): Promise<void> {
  const { apiClient } = await import('./client.ts');
  const { janitorSchema } = await import('../api/janitor-answers.ts');
  const query = options.database === undefined ? '' : `?database=${encodeURIComponent(options.database)}`;
  const found = await apiClient(world, options).get(`/v1/janitor${query}`, janitorSchema);
  if (options.json === true) world.out(`${JSON.stringify(found, null, 2)}\n`);
  else world.out(`${foundLines(found, world.now()).join('\n')}\n`);
}

function foundLines({ runs, objects, kept, unseen }: z.infer<typeof janitorSchema>, now: number): string[] {
  const lines = [
    ...runs.flatMap((one) => [
      `${one.run}  ${one.outcome}, closed ${one.closedAt}${one.lease === 'held' ? ', is being cleared up' : ''}`,
      ...(one.because === null ? [] : [`  because  ${line(one.because)}`]),
      ...one.left.map(({ step, outcome }) => `  left     ${step}: ${outcome ?? 'was begun, and nobody knows how it ended'}`),
      ...(one.unsafe === null ? [] : [`  by hand  ${line(one.unsafe)}`]),
      `  do       ${one.command}`,
    ]),
    ...objects.flatMap((one) => [
      `${one.database}: ${one.kind} ${line(one.name)}${one.region === null ? '' : ` in ${one.region}`}  ${ownerText(one)}`,
      `  do       ${one.command === null ? 'ask whoever else runs Steadyhand there; it is not removed from here' : line(one.command)}`,
    ]),
    ...unseen.map((one) => `${one.database} could not be looked at: ${line(one.because)}`),
  ];
  const left = lines.length === 0 ? ['nothing is left behind'] : lines;
  return kept.length === 0 ? left : [...left, '', 'kept on purpose:', ...kept.flatMap((one) => keptLines(one, now))];
}

type Found = z.infer<typeof janitorSchema>;

function ownerText({ run, owner }: Found['objects'][number]): string {
  if (run === null) return 'of no run that is known here';
  return owner === 'closed' ? `of ${run}, which is closed` : `of ${line(run)}, which is no run that is known here`;
}

function keptLines({ database, kind, name, region, run, what, since, due, command }: Found['kept'][number], now: number): string[] {
  const age = since === null ? 'being made' : `${ageText(now - Date.parse(since))} old`;
  return [
    `${database}: ${kind} ${line(name)} in ${region}  ${what}, ${age}, of ${run}`,
    `  ${due === null ? 'unneeded' : `due ${due}`.padEnd(8)} ${line(command)}`,
  ];
}

const dayMs = 86_400_000;

const ageText = (ms: number): string => (ms < 2 * dayMs ? durationText(Math.max(0, ms)) : `${Math.floor(ms / dayMs)} days`);

async function remove(world: World, options: JanitorOptions, run: string): Promise<void> {
  if (options.reason === undefined) throw new UsageError('to remove something a reason is needed: --reason <text>; it is recorded');
  const { apiClient } = await import('./client.ts');
  const { clearingSchema } = await import('../api/janitor-answers.ts');
  const client = apiClient(world, options);
  const path = runPath(run);
  const id = path.split('/').at(-1) ?? '';
  const clearing = await client.post(`/v1/janitor/${id}`, { reason: options.reason }, clearingSchema);
  if (options.json !== true) world.err(`takes back what ${clearing.run} left; it goes on when this is stopped\n`);
  const { data } = await cleared(world, client, path, clearing.asked);
  if (options.json === true) world.out(`${JSON.stringify({ ...clearing, ...data }, null, 2)}\n`);
  else world.out(`${clearedLines(data).join('\n')}\n`);
  if (!nothingLeft(data)) world.bad();
}

/** Until the run's events tell what came of it. */
async function cleared(world: World, client: ApiClient, path: string, asked: number): Promise<EventRow> {
  for (;;) {
    for await (const event of eventsOf(client, `${path}/events`, { after: String(asked) })) {
      if (event.kind === 'run.cleared' && event.data['asked'] === asked) return event;
    }
    await world.wait(lookEveryMs);
  }
}

function nothingLeft({ left }: EventRow['data']): boolean {
  return Array.isArray(left) && left.length === 0;
}

function clearedLines(data: EventRow['data']): string[] {
  const { left, because } = data;
  if (!Array.isArray(left)) return [`refused: ${line(String(because))}`];
  if (nothingLeft(data)) return ['all of it is taken back; the lease is free'];
  return ['still left; the lease stays orphaned:', ...left.map((one) => `  ${line(String(one))}`)];
}
