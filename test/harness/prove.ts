import { afterAll, beforeAll, vi, type TestContext } from 'vitest';
import type { Point } from './faults.ts';
import { provesCancels } from './proofs/cancels.ts';
import { provesChoices } from './proofs/choices.ts';
import { provesFailures } from './proofs/failures.ts';
import { provesResets } from './proofs/resets.ts';
import { provesTwice } from './proofs/twice.ts';
import type { Stage, Subject } from './stage.ts';
import { begin, type Trial } from './trial.ts';

/** What a proof is written with. */
export interface Proving {
  readonly subject: Subject;
  /** A run in a world of its own, which ends with the test. */
  begin(test: TestContext): Promise<Trial>;
}

/** Shared by the tests of a file: up before them, down after them. */
export function proving(subject: Subject): Proving {
  vi.setConfig({ testTimeout: 180_000, maxConcurrency: 6 });
  let stage: Stage | undefined;
  beforeAll(async () => {
    stage = await subject.stage();
  }, 120_000);
  afterAll(async () => {
    await stage?.end();
  }, 60_000);
  return {
    subject,
    begin: async ({ onTestFinished }) => {
      if (!stage) throw new Error('the stage is not up');
      const trial = await begin(subject, stage);
      onTestFinished(trial.world.end);
      return trial;
    },
  };
}

/**
 * All proofs that need no worker process of their own: whatever happens at any step, each effect is made once, and what is taken
 * back is as it was before, object by object.
 */
export function prove(subject: Subject, points: readonly Point[] = ['begun', 'intended', 'acted', 'done']): void {
  const one = proving(subject);
  provesTwice(one);
  provesFailures(one, points);
  provesCancels(one);
  provesChoices(one);
  provesResets(one);
}
