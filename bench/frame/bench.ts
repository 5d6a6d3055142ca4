import type { BenchReport } from './report.ts';

export interface BenchOptions {
  /** Samples of each subject. */
  readonly rounds: number;
  /** Rounds before them that don't count. */
  readonly warmUp: number;
  /** How many runs wait where many do. */
  readonly waiting: number;
  readonly log: (line: string) => void;
  /** When aborted, everything that was started is ended and the bench throws. */
  readonly signal?: AbortSignal;
}

/** What is asked of a figure of the report: at most so much. */
export interface Target {
  readonly text: string;
  readonly measured: number;
  readonly atMost: number;
}

export type Bench = (options: BenchOptions) => Promise<{ readonly report: BenchReport; readonly targets: readonly Target[] }>;
