import { setTimeout as wait } from 'node:timers/promises';
import type { NoReturn } from '../../../control/contract.ts';
import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';

const askAgainMs = 100;
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT']);

/**
 * Decides "forward". When the answer was lost it is asked again until it is known, because traffic may not be touched before.
 * Throws what the first call threw when it is certain that nothing was written: then the old side may serve again. Throws
 * `uncertain` when the attempt was aborted before an answer came: then nobody may touch traffic.
 */
export async function decideForward(
  noReturn: NoReturn,
  attempt: Attempt,
  database: string,
  facts: Readonly<Record<string, unknown>>,
): Promise<'forward' | 'back'> {
  const fence = { number: attempt.number, attemptKey: attempt.key, run: attempt.run, database };
  for (let asked = 1; ; asked += 1) {
    try {
      return await noReturn.decide(attempt.run, fence, 'forward', { ...facts });
    } catch (error) {
      if (fenced(error) || (asked === 1 && certainlyNotWritten(error))) throw error;
      attempt.progress({ summary: 'switch: the control database has not answered, nothing is touched until it does' });
      if (attempt.signal.aborted) {
        throw new Failure('uncertain', 'it is not known whether "forward" was written; traffic is held up', { part: 'no return' }, error);
      }
      await wait(askAgainMs);
    }
  }
}

/** A newer attempt is at work, or the lease is gone: the transaction with this check in it wrote nothing. */
function fenced(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'superseded' || error.code === 'lease-lost');
}

function certainlyNotWritten(error: unknown): boolean {
  for (let cause: unknown = error; typeof cause === 'object' && cause !== null; cause = 'cause' in cause ? cause.cause : undefined) {
    if ('code' in cause && typeof cause.code === 'string' && neverSent.has(cause.code)) return true;
    if (cause instanceof AggregateError && cause.errors.length > 0 && cause.errors.every(certainlyNotWritten)) return true;
  }
  return false;
}
