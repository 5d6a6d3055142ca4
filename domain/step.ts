export type StepKind = 'check' | 'change' | 'wait' | 'approval';

/** One line of a runbook, as its `plan.ts` declares it. */
export interface StepDefinition {
  readonly kind: StepKind;
  /** An operator's words, at most 60 characters. */
  readonly title: string;
  /** Whether a person may skip it when it failed. */
  readonly skippable?: boolean;
  /** From this step on there is no way back, only forward. */
  readonly pointOfNoReturn?: boolean;
  /** A change of nothing but what this run has made: a freeze, which protects what is in use, does not stop it. */
  readonly onOwnThings?: boolean;
}

export type StepDefinitions = Readonly<Record<string, StepDefinition>>;

export const stepStates = [
  'pending',
  'absent',
  'running',
  'waiting',
  'done',
  'failed',
  'skipped',
  'marked-done',
  'undoing',
  'undone',
  'undo-failed',
  'stopped',
  'rejected',
  'expired',
] as const;
/**
 * `absent`: the plan says that it does not apply. `waiting`: an approval that is open. `stopped`: it was under way when the run
 * turned back or closed, and goes on no more. `rejected`, `expired`: an approval that was not given, by a person's word or for want
 * of one in time; nothing has failed.
 */
export type StepState = (typeof stepStates)[number];

/** How far a step is, shown while it runs. Only `summary` is always there. */
export interface Progress {
  /** One line: "31 of 42 tables, 1.2 GB of 3.1 GB, 84 MB/s". */
  readonly summary: string;
  /** 0 to 1, when it is known. */
  readonly fraction?: number;
  /** Seconds left, when they can be told. */
  readonly secondsLeft?: number;
}

/** The before-image of a change: what its undo needs to know. Plain JSON. */
export type Before = Readonly<Record<string, unknown>>;
