import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { OutlineStep } from '../../domain/plan.ts';
import { show, standingOf, type RunMemory } from './state.ts';
import { call, engine } from './work.ts';

/** Returns when no freeze stops the step (any more), or when the run is cancelled meanwhile: whoever calls it hears that. */
export async function standStill(memory: RunMemory, line: OutlineStep): Promise<void> {
  const standing = standingOf(memory, line.id);
  standing.state = 'waiting';
  show(memory, 'waiting');
  const scope = new CancellationScope({ cancellable: true });
  memory.scope = scope;
  try {
    const at = { step: line.id, generation: standing.generation };
    await scope.run(() => call(engine.standStill, at, undefined, `may it begin: ${line.title}`));
  } catch (error) {
    if (!isCancellation(error)) throw error;
  } finally {
    delete memory.scope;
  }
}
