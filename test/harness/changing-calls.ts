import type { Calls, Made } from './stage.ts';
import type { Trial } from './trial.ts';

/** A call that changes something, and the step that makes it. */
export interface ChangingCall {
  readonly action: string;
  readonly step: string;
  /** Of these an account may have so many only, and each has a name that others might have taken. */
  readonly makes?: Made;
  /** What an earlier step has made, and this call removes. */
  readonly takes?: Made;
  /** How many calls of this name come before it. */
  readonly after?: number;
  /** Default in both of the case's regions. */
  readonly where?: Made['where'];
}

export function callsOf({ world }: Trial): Calls {
  if (!world.calls) throw new Error('this world makes no calls');
  return world.calls;
}
