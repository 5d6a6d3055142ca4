import { expect, test } from 'vitest';
import { createPlanner } from '../../../activities/engine/planner.ts';
import { createPreview, type PreviewDependencies } from '../../../activities/engine/preview.ts';
import { Failure } from '../../../domain/failure.ts';
import type { Finding } from '../../../domain/finding.ts';
import { runNameOf } from '../../../domain/run.ts';
import { anna, aRun, controlPlace } from '../../control/support.ts';
import { rehearsal } from '../../support/rehearsal-plan.ts';

const place = controlPlace();
const order = { runbook: 'rehearsal', database: 'orders', input: { word: 'hello' } };
const held = async (): Promise<boolean> => await Promise.resolve(true);
const nothing = async (): Promise<Finding[]> => await Promise.resolve([]);

function previewing(control: NonNullable<PreviewDependencies['control']>, check = nothing): ReturnType<typeof createPreview> {
  const catalog = { rehearsal };
  const takeFacts = { rehearsal: async () => await Promise.resolve({ binding: {}, observed: {} }) };
  return createPreview({
    planner: createPlanner({ catalog, commands: {}, takeFacts, control }),
    catalog,
    checks: { rehearsal: check },
    control,
  });
}

test('what stands against a run now is found: a freeze, a lease, what an ended run left, other open runs', async () => {
  const { control } = await place.fresh();
  const preview = previewing(control);
  expect((await preview(order)).findings).toEqual([]);
  const run = await aRun(control, { runbook: 'rehearsal', run: 'rehearsal/orders/01KAJ0V5Z8Q4W9T2B7C6D5E4F3' });
  const show = `steadyhand show ${runNameOf(run).id}`;
  expect((await preview(order)).findings).toMatchObject([
    { check: 'open-runs', level: 'warns', evidence: `other runs are open: ${run} (requested)`, fix: expect.stringContaining(show) },
  ]);
  await control.lease.take('orders', run, held);
  const freeze = await control.freezes.on({ database: 'orders', reason: 'the quarter closes', until: null, by: anna });
  expect((await preview(order)).findings).toMatchObject([
    { check: 'frozen', level: 'blocks', evidence: expect.stringContaining('the quarter closes'), fix: expect.stringContaining(freeze.id) },
    { check: 'lease-held', level: 'blocks', evidence: `${run} holds the lease of orders`, fix: expect.stringContaining('--wait') },
  ]);
  await control.freezes.off(freeze.id, anna, 'closed');
  const attempt = { key: `${run}/make/1`, run, step: 'make' };
  const { number } = await control.attempts.claim({ ...attempt, generation: 1, undo: false });
  await control.attempts.intend({ ...attempt, number, database: 'orders', before: {} });
  await control.runs.close(run, { outcome: 'needs-attention', left: ['make'], free: false });
  expect((await preview(order)).findings).toMatchObject([
    {
      check: 'lease-orphaned',
      level: 'blocks',
      evidence: `${run} ended and left things on orders`,
      fix: expect.stringContaining('janitor'),
    },
  ]);
});

test('what the checks cannot look at would end the run, so it blocks; the plan is there all the same', async () => {
  const { control } = await place.fresh();
  const preview = previewing(control, async () => await Promise.reject(new Failure('privilege-missing', 'the role may not read pg_x')));
  const { plan, findings } = await preview(order);
  expect(plan.runbook).toBe('rehearsal');
  expect(findings).toMatchObject([{ check: 'privilege-missing', level: 'blocks', evidence: 'the role may not read pg_x' }]);
});
