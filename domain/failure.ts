import { failureKinds, type FailureCode } from './failure-kinds.ts';

export type { FailureCode } from './failure-kinds.ts';

export type FailureFacts = Record<string, unknown>;

/** An error that a person can be shown: what, where, what to do now. The cause is kept for the log. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly facts: FailureFacts;

  constructor(code: FailureCode, message: string, facts: FailureFacts = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.facts = facts;
  }

  get retryable(): boolean {
    return failureKinds[this.code].retryable;
  }

  get hint(): string {
    return failureKinds[this.code].hint;
  }
}

/** Whether the control database is away or overloaded: what a run does waits for it, and no step fails for that. */
export function isControlAway(code: FailureCode): boolean {
  return code === 'control-database-unavailable' || code === 'query-too-slow';
}

/** What a `wait` step throws when it has looked and must look again. */
export function notYet(what: string, retryAfterMs: number): Failure {
  return new Failure('not-yet', what, { retryAfterMs });
}

/** A failure as it is stored and shown: plain data. */
export interface FailureReport {
  code: FailureCode;
  message: string;
  hint: string;
  facts: FailureFacts;
}

export function reportOf(failure: Failure): FailureReport {
  return { code: failure.code, message: failure.message, hint: failure.hint, facts: failure.facts };
}

export function isFailureCode(code: string | null | undefined): code is FailureCode {
  return typeof code === 'string' && Object.hasOwn(failureKinds, code);
}
