import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/workflow';
import { failureKinds } from '../../domain/failure-kinds.ts';
import { isFailureCode, type FailureCode, type FailureFacts, type FailureReport } from '../../domain/failure.ts';

/**
 * How a story ends before its last step: thrown by the engine's words, caught by `follow`. Never seen by a story. `again`: it is
 * begun anew, and passes over what is done. `continue`: the same in a new execution, with an empty history.
 */
export class Ending extends Error {
  readonly how: 'go-back' | 'abort' | 'again' | 'continue';
  constructor(how: Ending['how'], because: string) {
    super(because);
    this.how = how;
  }
}

/** What a failed activity tells people: its own code, or what ended it. */
export function reportOf(error: unknown): FailureReport {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    const lost = cause.timeoutType === 'HEARTBEAT' || cause.timeoutType === 'START_TO_CLOSE';
    return ofKind(lost ? 'worker-lost' : 'deadline-passed');
  }
  if (cause instanceof CancelledFailure) return ofKind('cancelled');
  if (cause instanceof ApplicationFailure) {
    // The worker puts the failure's facts there, and nothing else does.
    if (isFailureCode(cause.type)) return report(cause.type, cause.message, (cause.details?.[0] ?? {}) as FailureFacts);
    // Temporal's own name for an attempt that a worker gave up when it was told to stop.
    if (cause.type === 'WorkerShutdown') return ofKind('worker-lost');
  }
  return report('internal', cause instanceof Error ? cause.message : String(cause));
}

/** A failure that the engine itself has to tell. */
export function report(code: FailureCode, message: string, facts: FailureFacts = {}): FailureReport {
  return { code, message, hint: failureKinds[code].hint, facts };
}

function ofKind(code: FailureCode): FailureReport {
  return report(code, failureKinds[code].meaning);
}

/** A refusal in workflow code. A plain `Error` would block the run's task for ever. */
export function refusal(code: FailureCode, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}
