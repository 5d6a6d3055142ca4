import { expect, test } from 'vitest';
import { definitionOf, wentThrough, workingSteps } from '../expectations.ts';
import type { Proving } from '../proving.ts';
import { another, cameThere } from './kills.ts';

/**
 * The worker process that is at a step stands still (SIGSTOP, as when its machine is paused), in a change when the effect is there.
 * Another worker takes the step over; when its attempt begins the first one wakes up, with all attempts that it was given meanwhile.
 * The run goes on, each effect is made once, and the attempt that was overtaken ends as nothing.
 */
export function provesStops({ subject, chosen, begin }: Proving): void {
  const cases = workingSteps(subject).map((step) => ({ step, isChange: definitionOf(subject, step).kind === 'change' }));
  test.concurrent.for(chosen(cases, ({ isChange }) => (isChange ? 'change' : 'look')))(
    'the worker stands still at $step',
    async (one, context) => {
      const { step, isChange } = one;
      const { trial, victim, queue } = await cameThere(await begin(context), { step, point: isChange ? 'acted' : 'begun' }, context);
      victim.signal('SIGSTOP');
      let end: string | undefined;
      const awake = trial.stage.faults.set(trial.run, {
        step,
        point: 'begun',
        strike: async () => {
          victim.goOn();
          victim.signal('SIGCONT');
          end = await victim.ended;
        },
      });
      await another(trial, queue, context);
      await trial.until(() => trial.stage.faults.waiting(trial.run).length === 0);
      await awake;
      await wentThrough(trial);
      // A look may be taken twice.
      if (isChange) expect(end).not.toBe('ok');
    },
  );
}
