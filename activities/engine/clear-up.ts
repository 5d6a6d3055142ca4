import type { EventRow, Leftover } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Plan } from '../../domain/plan.ts';
import { runNameOf } from '../../domain/run.ts';
import { databasesOf, whyNotSafe } from '../../domain/why-not-safe.ts';
import type { Attempt } from '../attempt.ts';
import type { Cleared, LeftUndo } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';
import { parseInput } from './parse-input.ts';
import { takeLeases } from './take-leases.ts';

type Control = Pick<EngineDependencies, 'control'>;

/**
 * Takes up the leases of a run that has ended, for its own undos: they stand in its journal, under its keys. Repeating it finds the
 * leases taken and the same undos, without those that are done.
 */
export function reclaim(dependencies: Pick<EngineDependencies, 'control' | 'catalog' | 'holderOpen'>) {
  return async ({ asked }: { asked: number }, { run }: Attempt): Promise<{ undos: readonly LeftUndo[] }> => {
    const { control, catalog } = dependencies;
    await whoAsked(dependencies, run, asked);
    const leftover = await control.leftovers.find(run);
    if (!leftover) throw new Failure('conflict', `${run} has left nothing behind under its lease`);
    const since = await control.leftovers.changedSince(leftover, databasesOf(catalog, leftover));
    const unsafe = whyNotSafe(catalog, leftover, since);
    if (unsafe !== undefined) throw new Failure('conflict', `what ${run} left is not taken back: ${unsafe}`);
    await takeLeases(dependencies, leftover.database, run, await control.runs.record(run));
    return { undos: await undosOf(dependencies, leftover) };
  };
}

export function cleared({ control }: Control) {
  return async ({ asked, ...came }: Cleared, { run }: Attempt): Promise<void> => {
    const { actor, data } = await whoAsked({ control }, run, asked);
    const databases = (await control.leftovers.find(run))?.leases ?? [];
    await control.leftovers.cleared({ run, databases, asked, by: actor, reason: String(data['reason']), ...came });
  };
}

/** The record of it: whoever starts the workflow by hand has none. */
async function whoAsked({ control }: Control, run: string, asked: number): Promise<EventRow> {
  const [event] = await control.events.list({ run, kind: 'janitor.asked', after: asked - 1, limit: 1 });
  if (event?.seq === asked) return event;
  throw new Failure('request-unknown', `nobody has asked to clear up after ${run}`, { asked });
}

async function undosOf(
  { control, catalog }: Pick<EngineDependencies, 'control' | 'catalog'>,
  { run, database, input, plan, intents }: Leftover,
): Promise<LeftUndo[]> {
  const runbook = catalog[runNameOf(run).runbook];
  if (!runbook?.takesBack || plan === null) return [];
  // Stored by the activity that made the plan.
  const { facts, steps } = (await control.documents.get(plan)) as Plan;
  const told = runbook.takesBack.subject({ database, input: parseInput(runbook, input), facts });
  const { undos } = runbook.takesBack;
  return intents.toReversed().flatMap(({ step, key }) => {
    const verb = undos[step];
    // It goes along with what another one's undo removes.
    if (verb === undefined) return [];
    const title = steps.find((one) => one.id === step)?.title ?? step;
    return [{ step, title, generation: Number(key.split('/').at(-1)), verb, input: told }];
  });
}
