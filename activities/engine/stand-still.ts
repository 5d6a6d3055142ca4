import { notYet } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { EngineDependencies } from './dependencies.ts';

/** So often a run that stands still looks whether the freeze is over. */
const lookAgainMs = 3_000;

/**
 * Looks once whether a freeze stops the run: then it shows as waiting, its step says for what, and `not-yet` is thrown with the
 * delay until the next look. Else it shows as running. Harmless to repeat.
 */
export function standStill({ control }: Pick<EngineDependencies, 'control'>) {
  return async ({ step, generation }: { step: string; generation: number }, { run }: Attempt): Promise<void> => {
    const freeze = await control.freezes.forRun(run);
    if (!freeze) {
      await control.runs.change(run, { state: 'running' });
      return;
    }
    await control.runs.change(run, { state: 'waiting', steps: [{ id: step, state: 'waiting', generation, because: freeze.text }] });
    throw notYet(freeze.text, lookAgainMs);
  };
}
