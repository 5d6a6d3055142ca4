import type { Attempt } from '../../activities/attempt.ts';
import type { Intent } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Before, Progress } from '../../domain/step.ts';
import { tagOf } from '../../domain/run.ts';

export type SettledAs = Parameters<Attempt['settle']>[0];

/** The control database's part in a run, in memory: intents, outcomes, attempt numbers. */
export interface Journal {
  readonly run: string;
  readonly tag: string;
  readonly intents: Map<string, Before>;
  readonly outcomes: Map<string, SettledAs>;
  /** All intents, as the control database tells them. */
  rows(): Intent[];
  /** The next attempt at a step, or at its undo. Older ones of the same key are superseded. */
  attempt(step: string, options?: { readonly undo?: boolean; readonly generation?: number; readonly signal?: AbortSignal }): JournalAttempt;
}

export interface JournalAttempt extends Attempt {
  /** What people were shown. */
  readonly shown: Progress[];
}

/** Crockford's base 32 digits, as a ULID has them. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export function newRunId(): string {
  return `01J${Array.from({ length: 23 }, () => digits[Math.floor(Math.random() * 32)]).join('')}`;
}

export function createJournal(run = `migration-cutover/orders/${newRunId()}`): Journal {
  const intents = new Map<string, Before>();
  const outcomes = new Map<string, SettledAs>();
  const numbers = new Map<string, number>();
  const checkpoints = new Map<string, unknown>();
  const tag = tagOf(run);
  return {
    run,
    tag,
    intents,
    outcomes,
    rows: () =>
      [...intents].map(([key, before]) => {
        const [step = ''] = key.slice(run.length + 1).split('/');
        return { key, run, step, before, at: new Date(0).toISOString(), outcome: outcomes.get(key) ?? null };
      }),
    attempt: (step, { undo = false, generation = 1, signal = new AbortController().signal } = {}) => {
      const stepKey = `${run}/${step}/${generation}`;
      const key = undo ? `${stepKey}/undo` : stepKey;
      const number = (numbers.get(key) ?? 0) + 1;
      numbers.set(key, number);
      const shown: Progress[] = [];
      const current = async (): Promise<void> => {
        await Promise.resolve();
        if (numbers.get(key) !== number) throw new Failure('superseded', `attempt ${number} of ${key} was overtaken`);
      };
      return {
        key,
        run,
        tag,
        step,
        number,
        signal,
        shown,
        progress: (progress) => shown.push(progress),
        checkpoint: checkpoints.get(key),
        save: (checkpoint) => checkpoints.set(key, checkpoint),
        current,
        alive: () => undefined,
        intend: async (before) => {
          await current();
          const first = intents.get(key) ?? before;
          // As the control database keeps it: JSON.
          intents.set(key, structuredClone(first));
          return structuredClone(first);
        },
        settle: async (outcome) => {
          await Promise.resolve();
          outcomes.set(key, outcome);
        },
        intended: intents.get(stepKey) ?? null,
      };
    },
  };
}
