import type { RunResult, RunStart } from '../../domain/run.ts';
import { follow } from '../../workflows/engine/run.ts';
import { verbs } from '../../workflows/engine/work.ts';
import { rehearsalWork, type RehearsalActivities, type Rehearsed } from './rehearsal-contract.ts';
import type { steps } from './rehearsal-plan.ts';

const world = verbs<RehearsalActivities>('rehearsal', rehearsalWork);

export async function rehearsal(start: RunStart): Promise<RunResult> {
  const subject = (told: { input: Readonly<Record<string, unknown>> }): Rehearsed => ({ word: String(told.input['word']) });
  return await follow<keyof typeof steps, Rehearsed>('rehearsal', start, subject, async (run) => {
    await run.step('look', world.look);
    await run.approval('agree-first');
    const held = wordOf(start) === 'held up' ? ({ heldSince: 'first' } as const) : {};
    await run.step('first', world.make, { undo: world.unmake, ...held });
    await run.step('unneeded', world.make, { undo: world.unmake });
    await run.step('second', world.make, { undo: world.unmake, ...held });
    await run.step('wait', world.await, wordOf(start) === 'alone' ? {} : { redo: 'first', ...held });
    if (wordOf(start) === 'stumble') throw new Error('the story has a mistake');
    if (wordOf(start) === 'short') return;
    await run.approval('agree-last');
    const redo = wordOf(start) === 'far back' ? ({ redo: 'second' } as const) : {};
    await run.step('last', world.make, { undo: world.unmake, ...redo });
    await run.step('tidy', world.make);
  });
}

/**
 * `stumble`: the story breaks after its changes. `short`: it ends before the point of no return. `alone`: the step that waits has
 * nothing to begin with again. `far back`: a redo past an approval. `held up`: from the first on traffic is.
 */
function wordOf({ input }: RunStart): unknown {
  return typeof input === 'object' && input !== null && 'word' in input ? input.word : undefined;
}
