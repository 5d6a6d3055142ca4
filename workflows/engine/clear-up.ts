import { CancellationScope } from '@temporalio/workflow';
import type { ClearUp } from '../../domain/leftover.ts';
import { refusal, reportOf } from './failure.ts';
import { takeBack } from './undo.ts';
import { workNamed } from './work-named.ts';
import { call, engine } from './work.ts';

/**
 * Takes back what a run has left after its end, by the run's own undos, the last one first. A new execution under the run's id: its
 * journal, fences and tag are the run's, and nobody else can have the lease meanwhile. One undo that fails holds up no other.
 */
export async function clearUp({ asked }: ClearUp): Promise<{ left: readonly string[] }> {
  return await CancellationScope.nonCancellable(async () => {
    const { undos } = await reclaimed(asked);
    const left: string[] = [];
    for (const { verb, ...undo } of undos) {
      // By the kind of its contract: to remove an instance takes as long as the provider does.
      const problem = await takeBack({ ...undo, verb: { name: verb, work: workNamed(verb) ?? 'change' } });
      if (problem) left.push(`${undo.title}: ${problem.message}`);
    }
    await call(engine.cleared, { asked, left }, undefined, 'frees the lease when nothing is left');
    return { left };
  });
}

async function reclaimed(asked: number): ReturnType<typeof ask> {
  try {
    return await ask(asked);
  } catch (error) {
    const { code, message } = reportOf(error);
    // Whoever asked is told in the record; with no asking there is nobody.
    if (code !== 'request-unknown') await call(engine.cleared, { asked, left: null, because: message });
    throw refusal(code, message);
  }
}

const ask = async (asked: number) => await call(engine.reclaim, { asked }, undefined, 'takes the lease of the run up again');
