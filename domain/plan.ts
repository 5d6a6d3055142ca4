import type { Command } from './command.ts';
import type { StepDefinition } from './step.ts';

/** Where a step's estimate comes from is said with it; `seconds` is absent when nobody can know. */
export interface Estimate {
  readonly seconds?: number;
  readonly from: 'earlier-runs' | 'size-and-rate' | 'unknown';
}

/** An observed value that must hold when the step begins; it is checked there and not hashed. */
export interface Limit {
  readonly text: string;
}

/** What a step does, as the runbook's `plan()` gives it. `undo` is what takes it back; `noUndo` says why nothing does. */
export type StepPlan =
  | { readonly applies: false; readonly because: string }
  | {
      readonly applies?: true;
      readonly commands: readonly Command[];
      readonly undo?: readonly Command[];
      readonly noUndo?: string;
      readonly limits?: readonly Limit[];
      /** Bytes that the step moves, for an estimate by size. */
      readonly bytes?: number;
      /** Things that the approver should read before agreeing. */
      readonly notes?: readonly string[];
      /** What users of the database notice meanwhile. */
      readonly holds?: readonly Holds[];
    };

/** Something that is held up, or refused, from a step on. */
export interface Holds {
  /** "writes", "DDL on the source". */
  readonly what: string;
  /** The step with whose end it ends; absent: this one. */
  readonly until?: string;
  /** A limit that the step keeps. */
  readonly atMostMs?: number;
}

export type StepPlans<Id extends string = string> = Readonly<Record<Id, StepPlan>>;

/** Facts that the digest binds (identities, versions, settings, object lists) and facts that only were seen (sizes, lag). */
export interface Facts {
  readonly binding: Readonly<Record<string, unknown>>;
  readonly observed: Readonly<Record<string, unknown>>;
}

/** A line of the plan as it is stored, shown and hashed. */
export type PlannedStep = StepDefinition & {
  readonly id: string;
  readonly estimate: Estimate;
} & StepPlan;

export interface Plan {
  readonly runbook: string;
  readonly version: number;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly steps: readonly PlannedStep[];
  /** Psql variables of the commands: what each stands for. Secrets are never here. */
  readonly variables: Readonly<Record<string, string>>;
  /** Digest of the facts it was made from; the facts are stored under it. */
  readonly facts: string;
  /** SHA-256 of all steps; an approval binds to the digest of the steps after it, see `digestFrom`. */
  readonly digest: string;
  /** The first step that the digest covers; all when it is absent. */
  readonly from?: string;
  readonly madeAt: string;
}

/** What the workflow keeps of a plan: enough to walk it, small enough for history. */
export interface PlanOutline {
  readonly digest: string;
  readonly facts: string;
  readonly steps: readonly OutlineStep[];
}

export interface OutlineStep {
  readonly id: string;
  readonly kind: StepDefinition['kind'];
  readonly title: string;
  readonly skippable: boolean;
  readonly pointOfNoReturn: boolean;
  readonly applies: boolean;
  readonly onOwnThings?: boolean;
}
