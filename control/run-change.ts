import type { FailureReport } from '../domain/failure.ts';
import type { RunState } from '../domain/run.ts';
import type { StepState } from '../domain/step.ts';

export interface StepChange {
  readonly id: string;
  readonly state: StepState;
  readonly generation: number;
  readonly because?: string;
  readonly by?: string;
  readonly failure?: FailureReport;
}

/** What of a run changes: one event for its state, and one for each step. */
export interface RunChange {
  readonly state?: RunState;
  readonly steps?: readonly StepChange[];
  /** Null clears it. */
  readonly failure?: FailureReport | null;
}
