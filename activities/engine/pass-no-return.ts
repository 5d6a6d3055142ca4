import type { NoReturn } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';

/**
 * Writes down that the run goes forward from here on, right before a step without return takes away what going back would need: a
 * cancel, or a failure of what follows, then finds it. Repeats safely: the first word stands. Raises `superseded`, `lease-lost`,
 * and `conflict` when it was decided that the run goes back.
 */
export async function passNoReturn(noReturn: Pick<NoReturn, 'decide'>, attempt: Attempt, database: string): Promise<void> {
  const { key: attemptKey, number, run, step } = attempt;
  if ((await noReturn.decide(run, { number, attemptKey, run, database }, 'forward', { step })) === 'forward') return;
  throw new Failure('conflict', `${run} goes back: ${step} would take away what that needs`, { run, step });
}
