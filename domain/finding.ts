import type { FailureCode } from './failure-kinds.ts';

/** What blocks comes first, what only informs last. */
export const findingLevels = ['blocks', 'warns', 'informs'] as const;

/** What a check before a run has found. */
export interface Finding {
  readonly check: string;
  readonly level: (typeof findingLevels)[number];
  /** What was seen, with names and figures. */
  readonly evidence: string;
  /** What to do about it; empty for what only informs. */
  readonly fix: string;
}

/** A finding of the facts that a plan is made from. One that blocks refuses a run, under its code. */
export interface FactFinding extends Finding {
  readonly code: FailureCode;
  /** The failure that it was, for the log; absent for one that a look has found. */
  readonly cause?: Error;
}

/** One that blocks. */
export function against(check: string, evidence: string, fix: string, code: FailureCode = 'plan-impossible'): FactFinding {
  return { check, level: 'blocks', code, evidence, fix };
}

/** By level; the order of the checks stays within one. */
export function byLevel(findings: readonly Finding[]): Finding[] {
  return findingLevels.flatMap((level) => findings.filter((one) => one.level === level));
}

/** Whether a run that is asked for now would be refused. */
export const isBlocked = (findings: readonly Finding[]): boolean => findings.some((one) => one.level === 'blocks');
