/** What kind of work an activity is: decides its timeouts, retries and task queue (`workflows/engine/work.ts`). */
export type Work = 'engine' | 'look' | 'wait' | 'held' | 'change' | 'long' | 'switch';

/** Which step an activity is called for; the second argument of every call from the engine. */
export interface StepCall {
  readonly step: string;
  readonly generation: number;
  readonly undo: boolean;
}

/** The kind of work of every verb of a contract. */
export type WorkOf<Activities> = { readonly [Verb in keyof Activities]: Work };
