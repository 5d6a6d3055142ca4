import { defaultPayloadConverter } from '@temporalio/common';
import { pino } from 'pino';
import { createReconciler } from '../../../api/reconcile.ts';
import { temporalRuns } from '../../../temporal/runs.ts';
import { resetTo } from '../../support/reset-to.ts';
import { expect, test } from 'vitest';
import { wentThrough, workingSteps } from '../expectations.ts';
import { eventually } from '../../support/eventually.ts';
import { breaks } from '../faults.ts';
import type { Proving } from '../proving.ts';
import type { Trial } from '../trial.ts';

/** The run is reset to before a step that is done: the same keys, adopted, nothing is made a second time. */
export function provesResets({ subject, begin }: Proving): void {
  const steps = workingSteps(subject);
  const last = steps.at(-1) ?? '';
  const approvals = workingSteps(subject, ['approval']);
  // As long as what the steps made is still there.
  const stops = [...(subject.takesAway ?? []), last];
  // As long as the run has steps: minutes at AWS, beside five other cases.
  test.concurrent(
    'reset to before each step that is done, one after the other: the same keys, adopted',
    { timeout: 600_000 },
    async (context) => {
      const trial = await begin(context);
      await trial.start();
      const ids = Object.keys(subject.runbook.steps);
      const final = approvals.at(-1) ?? '';
      const early = steps.filter((step) => ids.indexOf(step) < ids.indexOf(final));
      const { askedAgain = [] } = subject;
      await trial.until((now) => now.questions.some((one) => one.approval === final));
      for (const step of early.filter((one) => !askedAgain.includes(one))) await resetBefore(trial, step, early.at(-1) ?? '');
      const late = steps.filter((one) => !early.includes(one));
      for (const [index, stop] of stops.entries()) {
        void parks(trial, stop);
        if (index > 0) await trial.answer('retry');
        await trial.parked(stop);
        for (const step of late.splice(0, late.indexOf(stop))) {
          const parked = parks(trial, stop);
          await resetBefore(trial, step, steps[steps.indexOf(stop) - 1] ?? '');
          await parked;
        }
      }
      await trial.answer('retry');
      await wentThrough(trial);
      const settled = await trial.events('attempt.settled');
      for (const step of workingSteps(subject, ['change']).filter((one) => one !== last)) {
        const outcomes = settled.filter((one) => one['step'] === step).map((one) => one['outcome']);
        expect(outcomes[0], step).toBe('made');
        // The same outcome told again makes no event.
        expect(new Set(outcomes.slice(1)), step).toEqual(new Set(subject.remade?.includes(step) ? [] : ['adopted']));
      }
      expect((await trial.detail()).steps.filter((one) => one.kind !== 'approval').every((one) => one.generation === 1)).toBe(true);
    },
  );
}

async function parks({ stage, run }: Trial, step: string): Promise<void> {
  await stage.faults.set(run, { step, point: 'begun', strike: breaks });
}

async function attemptsAt(trial: Trial, step: string): Promise<number> {
  return (await trial.detail()).steps.find((one) => one.id === step)?.attempt ?? 0;
}

/** To before the newest call of the step, and until the run is at `until` again. Signals and Updates are not delivered again. */
async function resetBefore(trial: Trial, step: string, until: string): Promise<void> {
  const seen = await attemptsAt(trial, until);
  await reset(trial, step);
  const { control, client, taskQueue } = trial.stage;
  // As every API does it.
  const tell = createReconciler({ control, temporal: temporalRuns(client, { taskQueue }) }, pino({ level: 'silent' }));
  await eventually(async () => {
    await tell();
    const again = (await attemptsAt(trial, until)) > seen;
    return again || undefined;
  }, 60_000);
}

async function reset({ stage, run }: Trial, step: string): Promise<void> {
  const { client } = stage;
  const { events } = await client.workflow.getHandle(run).fetchHistory();
  const calls = (events ?? []).map((event) => event.activityTaskScheduledEventAttributes);
  const call = calls.findLast((one) => {
    const told = one?.input?.payloads?.[1];
    const asked = told ? defaultPayloadConverter.fromPayload<{ step?: string; undo?: boolean } | null>(told) : null;
    return asked?.step === step && asked.undo === false;
  });
  const finished = call?.workflowTaskCompletedEventId;
  if (!finished) throw new Error(`the run has not called ${step}`);
  await resetTo(client, run, finished);
}
