import type { Before, Progress } from '../domain/step.ts';

/**
 * One try at one step, as an activity sees it. `worker/` alone binds it to Temporal; tests make their own. Every activity is
 * `(input, attempt) => result`.
 */
export interface Attempt {
  /** `workflowId/step/generation`, with `/undo` for an undo: the same for every retry and after a reset. */
  readonly key: string;
  /** The workflow id, `<runbook>/<database>/<ULID>`. */
  readonly run: string;
  /** The name that everything this run makes on a server carries: `steadyhand_<ulid>`. */
  readonly tag: string;
  readonly step: string;
  /** Numbered by the control database, from 1; a higher one fences this one off. */
  readonly number: number;
  /** Aborted when the run is cancelled, the worker shuts down, or the attempt timed out. */
  readonly signal: AbortSignal;
  /** Shows people how far it is, and tells Temporal that the attempt lives. Cheap: call it as often as there is news. */
  progress(progress: Progress): void;
  /** What an earlier attempt of the same key saved with `save`, or undefined. */
  readonly checkpoint: unknown;
  save(checkpoint: unknown): void;
  /** Throws `superseded` when a newer attempt of this key has begun, `lease-lost` when the run lost its lease. */
  current(): Promise<void>;
  /**
   * Throws `superseded` when this process stood still for so long that the step was given to another attempt. Asks nobody and costs
   * nothing: right before a call that holds up or lets through traffic, where a question to the control database would take too long.
   */
  alive(): void;
  /**
   * Writes down what is about to happen, before it does: audit row, lease check and before-image in one transaction. A later
   * attempt never overwrites the before-image; the first one is returned. Fails closed: no row, no change. Throws as `current`
   * does, so what acts right after it need not ask again.
   */
  intend(before: Before): Promise<Before>;
  /** Writes down that the intended effect is there (`adopted`: an earlier attempt had made it). Writing it twice is harmless. */
  settle(outcome: 'made' | 'adopted' | 'undone' | 'nothing-to-undo'): Promise<void>;
  /** What earlier attempts at the step had intended; for an undo, those at the step that it takes back. Null when none got so far. */
  readonly intended: Before | null;
}

/** A contract's activities as they are written: `(input, attempt) => result`. The contract itself is what a workflow calls. */
export type Effects<Activities> = {
  readonly [Verb in keyof Activities]: Activities[Verb] extends (...input: infer Input) => infer Result
    ? (input: Input extends [infer One] ? One : undefined, attempt: Attempt) => Result
    : never;
};
