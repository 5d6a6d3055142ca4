import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { failureKinds, isFailureCode, type FailureCode, type FailureFacts, type FailureReport } from '../../domain/failure.ts';

/** What a failed activity tells people: its own code, or the timeout that ended it. */
export function reportOf(error: unknown): FailureReport {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) {
    const code: FailureCode = cause.timeoutType === 'HEARTBEAT' || cause.timeoutType === 'START_TO_CLOSE' ? 'worker-lost' : 'deadline-passed';
    return report(code, failureKinds[code].meaning, {});
  }
  if (cause instanceof ApplicationFailure && isFailureCode(cause.type)) {
    // The worker puts the failure's facts there, and nothing else does.
    return report(cause.type, cause.message, (cause.details?.[0] ?? {}) as FailureFacts);
  }
  return report('internal', cause instanceof Error ? cause.message : String(cause), {});
}

function report(code: FailureCode, message: string, facts: FailureFacts): FailureReport {
  return { code, message, hint: failureKinds[code].hint, facts };
}

/** A refusal in workflow code. A plain `Error` would block the run's task for ever. */
export function refusal(code: FailureCode, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}
