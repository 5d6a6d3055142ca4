import { expect, test } from 'vitest';
import type { StepKind } from '../../../domain/step.ts';
import { changedAt, definitionOf, isPastNoReturn, wentBack, wentThrough, workingSteps } from '../expectations.ts';
import { kindOf } from '../extent.ts';
import { breaks, type Point } from '../faults.ts';
import type { Proving } from '../proving.ts';

/** A step that fails, at each of its points; then back, every activity of the way down delivered twice: the world is as before. */
export function provesFailures({ subject, chosen, begin }: Proving): void {
  const cases = workingSteps(subject).flatMap((step) => pointsOf(definitionOf(subject, step).kind).map((point) => ({ step, point })));
  test.concurrent.for(chosen(cases, ({ step }) => kindOf(subject, step)))(
    '$step fails ($point), and all is taken back, each undo twice',
    async ({ step, point }, context) => {
      const trial = await begin(context);
      void trial.stage.faults.set(trial.run, { step, point, strike: breaks });
      await trial.start();
      if (!changedAt(subject, step)) return await wentBack(trial, 'refused');
      const { choices } = await trial.parked(step);
      const forward = (await trial.stage.control.noReturn.read(trial.run))?.side === 'forward' || isPastNoReturn(subject, step);
      expect(choices.includes('roll-back')).toBe(!forward);
      trial.stage.faults.twice(trial.run);
      await trial.answer(forward ? 'retry' : 'roll-back');
      if (forward) return await wentThrough(trial);
      await wentBack(trial);
      const states = Object.fromEntries((await trial.detail()).steps.map((one) => [one.id, one.state]));
      expect(Object.values(states)).not.toContain('undo-failed');
    },
  );
}

/** Only changes write an intent and an outcome. */
function pointsOf(kind: StepKind): Point[] {
  return kind === 'change' ? ['begun', 'intended', 'acted', 'done'] : ['begun', 'done'];
}
