import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createReconciler } from '../../../api/reconcile.ts';
import { temporalRuns } from '../../../temporal/runs.ts';
import { eventually } from '../../support/eventually.ts';
import { changedAt, definitionOf, isPastNoReturn, leaseOf, workingSteps } from '../expectations.ts';
import { kindOf } from '../extent.ts';
import { untilCancelled } from '../faults.ts';
import type { Proving } from '../proving.ts';
import type { Trial } from '../trial.ts';

/**
 * Somebody terminates the workflow while a step is at work, so nothing is taken back: the lease is orphaned and the list names what
 * is left. Then the janitor takes it back by the run's own undos, and the world is as it was.
 */
export function provesTerminations({ subject, chosen, begin }: Proving): void {
  if (!subject.runbook.takesBack) return;
  const way = workingSteps(subject).filter((step) => changedAt(subject, step) && !isPastNoReturn(subject, step));
  const cases = way.filter((step) => definitionOf(subject, step).pointOfNoReturn !== true);
  test.concurrent.for(chosen(cases, (step) => kindOf(subject, step)))(
    'terminated at %s: the lease is orphaned, and the janitor takes back what is left',
    async (step, context) => {
      const trial = await begin(context);
      const { stage, run } = trial;
      const struck = stage.faults.set(run, {
        step,
        point: definitionOf(subject, step).kind === 'change' ? 'acted' : 'begun',
        strike: async () => {
          await stage.client.workflow.getHandle(run).terminate('somebody was in a hurry');
          await untilCancelled(() => undefined);
        },
      });
      await trial.start();
      await trial.until(() => stage.faults.waiting(run).length === 0);
      await struck;
      const temporal = temporalRuns(stage.client, stage);
      // As every API does it.
      await createReconciler({ control: stage.control, temporal }, pino({ level: 'silent' }))();
      expect(await trial.detail()).toMatchObject({ state: 'closed', outcome: 'needs-attention', because: 'the workflow was terminated' });
      expect(await leaseOf(trial)).toBe('orphaned');
      const { left, because } = await cleared(trial);
      expect(left, String(because)).toEqual([]);
      expect(await trial.world.snapshot()).toEqual(trial.before);
      expect(await leaseOf(trial)).toBe('free');
    },
  );
}

/** As `steadyhand janitor --remove` does it. What came of it. */
async function cleared({ stage, run, subject, events }: Trial): Promise<Readonly<Record<string, unknown>>> {
  const actor = { kind: 'person', name: subject.people.operates, channel: 'cli' } as const;
  const asked = await stage.control.events.append({ run, kind: 'janitor.asked', actor, data: { reason: 'a test' } });
  await temporalRuns(stage.client, stage).clearUp(run, { asked });
  const came = await eventually(async () => (await events('run.cleared')).find((one) => one['asked'] === asked), 120_000, 50);
  await stage.client.workflow
    .getHandle(run)
    .result()
    .catch(() => undefined);
  return came;
}
