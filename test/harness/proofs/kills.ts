import { ulid } from 'ulid';
import { expect, test, type TestContext } from 'vitest';
import type { StepKind } from '../../../domain/step.ts';
import { definitionOf, wentThrough, workingSteps } from '../expectations.ts';
import { kindOf } from '../extent.ts';
import type { Point } from '../faults.ts';
import type { Proving } from '../proving.ts';
import type { Trial } from '../trial.ts';
import { startVictim, type Victim } from '../victim.ts';

interface Case {
  readonly step: string;
  readonly point: Point;
}

/**
 * The worker process that is at a step is killed (SIGKILL): another worker goes on, and each effect is made once.
 */
export function provesKills({ subject, chosen, begin }: Proving): void {
  const cases = workingSteps(subject).flatMap((step) => pointsOf(definitionOf(subject, step).kind).map((point) => ({ step, point })));
  test.concurrent.for(chosen(cases, ({ step }) => kindOf(subject, step)))(
    'the worker is killed at $step ($point)',
    async (one, context) => {
      const { trial, victim, queue } = await cameThere(await begin(context), one, context);
      victim.signal('SIGKILL');
      await another(trial, queue, context);
      await wentThrough(trial);
      // What had claimed its number before it died was taken over.
      if (one.point !== 'begun') expect((await standing(trial, one.step)).attempt).toBeGreaterThan(1);
    },
  );
}

function pointsOf(kind: StepKind): Point[] {
  return kind === 'change' ? ['intended', 'acted', 'done'] : ['begun'];
}

/** A run on a queue of its own, whose worker process has come to that place. */
export async function cameThere(trial: Trial, { step, point }: Case, { onTestFinished }: TestContext) {
  const queue = `${trial.stage.taskQueue}-${ulid()}`;
  const victim: Victim = await startVictim({ ...trial.stage.processOf, run: trial.run, taskQueue: queue, step, point });
  onTestFinished(victim.end);
  let there = false;
  const struck = victim.struck.then(() => {
    there = true;
  });
  await trial.start(queue);
  await trial.until(() => there);
  await struck;
  return { trial, victim, queue };
}

/** The worker that takes over. */
export async function another(trial: Trial, queue: string, { onTestFinished }: TestContext): Promise<void> {
  onTestFinished(await trial.stage.worker(queue));
}

async function standing(trial: Trial, step: string) {
  const found = (await trial.detail()).steps.find((one) => one.id === step);
  if (!found) throw new Error(`the run has no step ${step}`);
  return found;
}
