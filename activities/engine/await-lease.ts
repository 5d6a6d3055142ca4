import type { PlaceInLine } from '../../control/contract.ts';
import { Failure, notYet } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { EngineDependencies } from './dependencies.ts';
import { refuseIfClosed } from './refuse-if-closed.ts';
import { refuseIfLeased } from './refuse-if-leased.ts';
import { refuseIfOthersFirst } from './refuse-if-others-first.ts';
import { othersOfRun, takeLeases } from './take-leases.ts';

/** The run whose turn is next looks most often; a long line costs little. */
const lookAgainMs = { forEachPlace: 2_000, atMost: 30_000 };

/**
 * Looks once whether it is the run's turn to have the lease, and takes it then. The line is that of the control database; a run
 * that had the lease before (it was reset) stands in none and gets it back. A lease that was left behind is waited for as well,
 * since a person may free it.
 */
export function awaitLease(dependencies: Pick<EngineDependencies, 'control' | 'catalog' | 'holderOpen'>) {
  const { control, catalog, holderOpen } = dependencies;
  return async ({ database }: { database: string }, { run }: Attempt): Promise<{ epoch: number }> => {
    const row = refuseIfClosed(await control.runs.find(run));
    const waits = row?.waits ?? null;
    if (waits === null) return await takeLeases(dependencies, database, run, row);
    if (Date.parse(waits.deadline) <= Date.now()) throw tooLate(waits);
    try {
      const others = othersOfRun(catalog, row);
      for (const one of [database, ...others]) await refuseIfOthersFirst({ control, holderOpen }, one, run);
      // Whoever is not in their line should not wait for a run that has one lease and waits for the other.
      for (const other of others) await refuseIfLeased({ control, holderOpen }, other, run);
      return await takeLeases(dependencies, database, run, row);
    } catch (error) {
      if (!(error instanceof Failure) || (error.code !== 'lease-held' && error.code !== 'lease-orphaned')) throw error;
      await control.runs.change(run, { state: 'waiting' });
      throw notYet(error.message, Math.min(waits.place * lookAgainMs.forEachPlace, lookAgainMs.atMost));
    }
  };
}

/** With who has it, and for how long: whoever asked wants to know whom to talk to. */
function tooLate({ database, holder, state, since, deadline, first }: PlaceInLine): Failure {
  const free = first === null ? 'it is free now' : `it is free, and the turn of ${first.run} comes before`;
  const has = { held: `${holder} holds it`, orphaned: `${holder} ended and left it`, free }[state];
  const when = state === 'free' || since === null ? '' : ` since ${since}`;
  const what = `it waited until ${deadline} for the lease of ${database}, and its turn did not come: ${has}${when}`;
  return new Failure(state === 'orphaned' ? 'lease-orphaned' : 'lease-held', what, { database, holder, since, deadline });
}
