import { AwsError } from './aws-error.ts';
import { accessDenied } from './authenticate.ts';

/** What goes wrong, with which call. */
export interface Fault {
  /** `CreateDBInstance`, or `*` for every action. */
  readonly action: string;
  readonly region?: string;
  /**
   * `throttle`, `error` (500), `denied`, `expired`, `answer` (that of `code`): instead of the call. `lost`: the call is made, and
   * the connection cut before its answer. `slow`: `ms` later. `not-found`: for `ms` after its creation a resource that a Describe
   * names is not there.
   */
  readonly kind: 'throttle' | 'error' | 'denied' | 'expired' | 'answer' | 'lost' | 'slow' | 'not-found';
  /** How many calls it hits, default 1; `not-found` hits all. */
  readonly times?: number;
  /** How many calls it lets pass first. */
  readonly after?: number;
  readonly ms?: number;
  readonly code?: string;
  readonly status?: number;
}

export interface Faults {
  /** Adds a fault; the answer takes it away again. */
  add(fault: Fault): () => void;
  clear(): void;
  /** The faults that hit this call, which counts as one occurrence for each. */
  hitting(action: string, region: string): Fault[];
}

export function createFaults(): Faults {
  let planned: { fault: Fault; left: number; skip: number }[] = [];
  return {
    add: (fault) => {
      const one = { fault, left: fault.kind === 'not-found' ? Number.POSITIVE_INFINITY : (fault.times ?? 1), skip: fault.after ?? 0 };
      planned.push(one);
      return () => (planned = planned.filter((other) => other !== one));
    },
    clear: () => (planned = []),
    hitting: (action, region) => {
      const found: Fault[] = [];
      for (const one of planned) {
        const { fault } = one;
        if ((fault.action !== '*' && fault.action !== action) || (fault.region ?? region) !== region) continue;
        if (one.skip > 0) one.skip -= 1;
        else if (one.left > 0) {
          one.left -= 1;
          found.push(fault);
        }
      }
      return found;
    },
  };
}

/** The answer that a fault gives instead of the call, if it is of that kind. */
export function answerOf(fault: Fault, caller: string, action: string): AwsError | undefined {
  switch (fault.kind) {
    case 'throttle':
      return new AwsError('Throttling', 'Rate exceeded', 400);
    case 'error':
      return new AwsError(fault.code ?? 'InternalFailure', 'An internal error has occurred.', fault.status ?? 500);
    case 'denied':
      return accessDenied(caller, action, `because no identity-based policy allows the ${action} action`);
    case 'expired':
      return new AwsError('ExpiredToken', 'The security token included in the request is expired', 403);
    case 'answer':
      return new AwsError(fault.code ?? 'InternalFailure', `The stand-in was asked to answer ${fault.code}.`, fault.status ?? 400);
    case 'lost':
    case 'slow':
    case 'not-found':
      return undefined;
  }
}
