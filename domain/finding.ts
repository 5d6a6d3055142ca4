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

/** By level; the order of the checks stays within one. */
export function byLevel(findings: readonly Finding[]): Finding[] {
  return findingLevels.flatMap((level) => findings.filter((one) => one.level === level));
}

/** Whether a run that is asked for now would be refused. */
export const isBlocked = (findings: readonly Finding[]): boolean => findings.some((one) => one.level === 'blocks');
