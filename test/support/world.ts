import type { Attempt, Effects } from '../../activities/attempt.ts';
import { ensure } from '../../activities/engine/ensure.ts';
import { notYet, type Failure } from '../../domain/failure.ts';
import type { RehearsalActivities } from './rehearsal-contract.ts';
import type { RehearsalFacts } from './rehearsal-plan.ts';

export type Fault = (attempt?: Attempt) => Promise<unknown>;

/** The outside world of a rehearsal, in memory: what was made, in which order, and faults to come. */
export interface World {
  readonly things: Set<string>;
  /** Every effect in order: `+first`, `-first`. */
  readonly effects: string[];
  /** Thrown, in order, by the next attempts at a step: before its effect. A function may do anything first. */
  readonly faults: Map<string, Fault[]>;
  readonly activities: Effects<RehearsalActivities>;
  facts: RehearsalFacts;
  /** The facts, after the faults of `facts`; those of `facts seen` hold up the answer. */
  takeFacts(): Promise<RehearsalFacts>;
  wordIsThere: boolean;
  fail(step: string, ...failures: Failure[]): void;
}

export function createWorld(): World {
  const things = new Set<string>();
  const effects: string[] = [];
  const faults: World['faults'] = new Map();
  const fault = async (key: string, attempt?: Attempt): Promise<void> => {
    const next = faults.get(key)?.shift();
    if (next) await next(attempt);
  };
  const world: World = {
    things,
    effects,
    faults,
    facts: { binding: { shape: 'round' }, observed: { size: 1 } },
    takeFacts: async () => {
      await fault('facts');
      const seen = { ...world.facts };
      await fault('facts seen');
      return seen;
    },
    wordIsThere: true,
    fail: (step, ...failures) => {
      const thrown = failures.map((failure) => async () => await Promise.reject(failure));
      faults.set(step, [...(faults.get(step) ?? []), ...thrown]);
    },
    activities: {
      look: async (subject, attempt) => {
        await fault(attempt.step, attempt);
        return { seen: subject.word };
      },
      make: async (_, attempt) => {
        await fault(attempt.step, attempt);
        return await ensure<{ made: string }>(attempt, {
          observe: async () =>
            await Promise.resolve(things.has(attempt.step) ? { state: 'there', result: { made: attempt.step } } : { state: 'absent' }),
          act: async () => {
            things.add(attempt.step);
            effects.push(`+${attempt.step}`);
            await fault(`${attempt.step} made`, attempt);
          },
        });
      },
      unmake: async (_, attempt) => {
        await fault(`undo ${attempt.step}`, attempt);
        if (attempt.intended === null || !things.has(attempt.step)) {
          await attempt.settle('nothing-to-undo');
          return;
        }
        things.delete(attempt.step);
        effects.push(`-${attempt.step}`);
        await attempt.settle('undone');
      },
      await: async (_, attempt) => {
        await fault(attempt.step, attempt);
        attempt.progress({ summary: 'looking for the word' });
        if (!world.wordIsThere) throw notYet('the word is not there', 100);
      },
    },
  };
  return world;
}
