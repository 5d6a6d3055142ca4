import { Failure } from '../../domain/failure.ts';
import type { Journal, JournalAttempt } from './attempt.ts';
import { eventually } from './eventually.ts';

/** A wait as the engine calls it: again and again, each time as a new attempt, until it answers. */
export async function settled<Result>(
  journal: Journal,
  step: string,
  look: (attempt: JournalAttempt) => Promise<Result>,
  options: Parameters<Journal['attempt']>[1] = {},
): Promise<Result> {
  const outcome = await eventually(
    async () => {
      try {
        return { result: await look(journal.attempt(step, options)) };
      } catch (error) {
        return error instanceof Failure && error.code === 'not-yet' ? undefined : { error };
      }
    },
    90_000,
    100,
  );
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
}
