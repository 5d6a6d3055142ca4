import { expect, test } from 'vitest';
import { Failure } from '../../../domain/failure.ts';
import { changedAt, isPastNoReturn, undoable, wentBack, wentThrough, workingSteps } from '../expectations.ts';
import { kindOf } from '../extent.ts';
import { untilCancelled, type Point } from '../faults.ts';
import type { Proving } from '../proving.ts';
import type { Trial } from '../trial.ts';

/**
 * A cancel while a step is at work, and a second one on the way down: all is taken back once, and the undo never begins while the
 * step still acts. Past the point of no return a cancel changes nothing.
 */
export function provesCancels({ subject, chosen, begin }: Proving): void {
  const pointsOf = (step: string): Point[] => (subject.runbook.steps[step]?.kind === 'change' ? ['begun', 'acted'] : ['begun']);
  const cases = workingSteps(subject).flatMap((step) => pointsOf(step).map((point) => ({ step, point })));
  test.concurrent.for(chosen(cases, ({ step }) => kindOf(subject, step)))(
    'cancelled at $step ($point), and again on the way down',
    async ({ step, point }, context) => {
      const trial = await begin(context);
      const order: string[] = [];
      let forward = false;
      const struck = trial.stage.faults.set(trial.run, {
        step,
        point,
        strike: async () => {
          forward = isPastNoReturn(subject, step) || (await trial.stage.control.noReturn.read(trial.run))?.side === 'forward';
          if (!forward && (await undoable(trial)).includes(step)) void cancelAgain(trial, step, order);
          expect(await cancelled(trial)).toBe(!forward);
          if (!forward) await untilCancelled(() => order.push('the step has stopped'));
        },
      });
      await trial.start();
      await trial.until(() => trial.stage.faults.waiting(trial.run).every((one) => !one.startsWith(`${step} ${point}`)));
      await struck;
      if (forward) return await wentThrough(trial);
      await wentBack(trial, changedAt(subject, step) ? 'rolled-back' : 'refused');
      expect(order).toEqual(
        (await undoable(trial)).includes(step) ? ['the step has stopped', 'its undo begins'] : ['the step has stopped'],
      );
    },
  );

  test.concurrent.for(chosen(workingSteps(subject, ['approval']), () => 'approval'))(
    'cancelled while %s is asked',
    async (approval, context) => {
      const trial = await begin(context);
      await trial.start();
      await trial.until((now) => now.questions.some((one) => one.approval === approval));
      expect(await cancelled(trial)).toBe(true);
      await wentBack(trial, changedAt(subject, approval) ? 'rolled-back' : 'refused');
    },
  );
}

async function cancelAgain(trial: Trial, step: string, order: string[]): Promise<void> {
  await trial.stage.faults.set(trial.run, {
    step,
    undo: true,
    point: 'begun',
    strike: async () => {
      order.push('its undo begins');
      expect(await cancelled(trial), 'a second cancel').toBe(false);
    },
  });
}

/** Whether the run takes the cancel. */
async function cancelled(trial: Trial): Promise<boolean> {
  try {
    return (await trial.decide(trial.subject.people.operates, 'cancel'))?.counts ?? false;
  } catch (error) {
    if (error instanceof Failure && error.code === 'conflict') return false;
    throw error;
  }
}
