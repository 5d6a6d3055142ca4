import type { z } from 'zod';
import type { StepPlans } from './plan.ts';
import type { Risk } from './run.ts';
import type { StepDefinitions } from './step.ts';

/**
 * A named, versioned procedure, as its `plan.ts` exports it: everything about a runbook but the doing. `Commands` are the pure
 * halves of the activities that it uses, handed in so that this side stays pure.
 */
export interface Runbook<Input = unknown, Facts = unknown, Commands = unknown> {
  readonly name: string;
  readonly version: number;
  readonly risk: Risk;
  /** One sentence for the list of runbooks. */
  readonly summary: string;
  readonly input: z.ZodType<Input>;
  /** Other databases of the inventory that an input names, by field: each must be there, and not be the run's own. */
  others?(input: Input): Readonly<Record<string, string>>;
  /** The groups of the provider's operations that this input needs. */
  needs?(input: Input): readonly string[];
  readonly steps: StepDefinitions;
  /**
   * How to take its changes back when the run is over and its story is told no more: the undo of each step as the story names it,
   * `<folder>.<verb>`, and what it is told.
   */
  readonly takesBack?: {
    readonly undos: Readonly<Record<string, string>>;
    /** Steps without an undo of their own, whose change goes with what an earlier step's undo removes. */
    readonly goesAlong?: readonly string[];
    subject(told: { readonly database: string; readonly input: Input; readonly facts: string }): unknown;
  };
  /** What a run that succeeded leaves at the provider on purpose: by the step that made it, what it is (`a backup`). */
  keeps?(input: Input): Readonly<Record<string, string>>;
  /** The psql variables of its commands: what each stands for. */
  readonly variables: Readonly<Record<string, string>>;
  /** Every step id with what it does, or why it does not apply. Pure: the same facts give the same plan. */
  plan(asked: PlanQuestion<Input, Facts, Commands>): StepPlans;
}

export interface PlanQuestion<Input, Facts, Commands> {
  readonly database: string;
  readonly input: Input;
  readonly facts: Facts;
  readonly commands: Commands;
}

/** Runbooks whose types differ, kept together: their inputs are parsed by their own schema before anything else. */
// oxlint-disable-next-line typescript/no-explicit-any -- a list of runbooks of different inputs has no narrower type
export type AnyRunbook = Runbook<any, any, any>;
