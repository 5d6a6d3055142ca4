import { afterAll, beforeAll, vi, type TestContext } from 'vitest';
import { oneOfEach, type Extent } from './extent.ts';
import type { Stage, Subject } from './stage.ts';
import { begin, type Trial } from './trial.ts';

/** What a proof is written with. */
export interface Proving {
  readonly subject: Subject;
  /** All the cases, or one of each group. */
  chosen<Case>(cases: readonly Case[], groupOf: (one: Case) => string): readonly Case[];
  /** A run in a world of its own, which ends with the test. */
  begin(test: TestContext): Promise<Trial>;
}

/** Shared by the tests of a file: up before them, down after them. */
export function proving(subject: Subject, extent: Extent): Proving {
  vi.setConfig({ testTimeout: 240_000, maxConcurrency: 6 });
  let stage: Stage | undefined;
  beforeAll(async () => {
    stage = await subject.stage();
  }, 120_000);
  afterAll(async () => {
    await stage?.end();
  }, 60_000);
  return {
    subject,
    chosen: (cases, groupOf) => (extent === 'every' ? cases : oneOfEach(cases, groupOf)),
    begin: async ({ onTestFinished }) => {
      if (!stage) throw new Error('the stage is not up');
      const trial = await begin(subject, stage);
      onTestFinished(trial.world.end);
      return trial;
    },
  };
}
