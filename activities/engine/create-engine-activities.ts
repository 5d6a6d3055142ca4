import type { Effects } from '../attempt.ts';
import { admit } from './admit.ts';
import { authorise } from './authorise.ts';
import { awaitLease } from './await-lease.ts';
import type { EngineActivities } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';
import { cleared, reclaim } from './clear-up.ts';
import { plan } from './plan.ts';
import { refuseIfClosed } from './refuse-if-closed.ts';
import { standStill } from './stand-still.ts';
import { ask, closeQuestion, nudge } from './questions.ts';
import { takeLeases } from './take-leases.ts';

/** What the engine calls: all of it stands in the control database, and each may be repeated. */
export function createEngineActivities(dependencies: EngineDependencies): Effects<EngineActivities> {
  const { control } = dependencies;
  return {
    admit: admit(dependencies),
    plan: plan(dependencies),
    ask: ask(dependencies),
    authorise: authorise(dependencies),
    nudge: nudge(dependencies),
    closeQuestion: closeQuestion(dependencies),
    takeLease: async ({ database }, attempt) => {
      const row = refuseIfClosed(await control.runs.record(attempt.run));
      return await takeLeases(dependencies, database, attempt.run, row);
    },
    awaitLease: awaitLease(dependencies),
    reclaim: reclaim(dependencies),
    cleared: cleared(dependencies),
    record: async (change, attempt) => {
      await control.runs.change(attempt.run, change);
    },
    standStill: standStill(dependencies),
    standBy: async () => await control.ping(),
    pastNoReturn: async (_, attempt) => (await control.noReturn.read(attempt.run))?.side === 'forward',
    close: async (ending, attempt) => {
      await control.runs.close(attempt.run, { ...ending, free: ending.left.length === 0 });
    },
  };
}
