import { expect, test } from 'vitest';
import { twiceOver, wentThrough, workingSteps } from '../expectations.ts';
import type { Proving } from '../proving.ts';

/** Every activity is delivered twice, the engine's own too: the completion of the first is lost, and it runs again from the beginning. */
export function provesTwice({ subject, begin }: Proving): void {
  test.concurrent('every activity is delivered twice: the same end, each effect once, adopted', async (context) => {
    const trial = await begin(context);
    trial.stage.faults.twice(trial.run);
    await trial.start();
    await wentThrough(trial);
    const settled = await trial.events('attempt.settled');
    const changes = workingSteps(subject, ['change']);
    const outcomes = changes.map((step) => [step, settled.filter((one) => one['step'] === step).map((one) => one['outcome'])]);
    expect(outcomes).toEqual(changes.map((step) => [step, subject.remade?.includes(step) ? ['made'] : ['made', 'adopted']]));
    // What was measured first stands: a switch that is over takes no pause.
    const proved = (await trial.events('evidence.recorded')).flatMap((one) => Object.keys(one['evidence'] ?? {}));
    expect(twiceOver(proved)).toEqual([]);
  });
}
