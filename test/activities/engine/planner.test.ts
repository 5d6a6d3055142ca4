import { expect, test } from 'vitest';
import { createPlanner } from '../../../activities/engine/planner.ts';
import type { Control, StepPace } from '../../../control/contract.ts';
import type { Estimate } from '../../../domain/plan.ts';
import { rehearsal } from '../../support/rehearsal-plan.ts';

/** The estimates of a plan whose step `second` moves 6,000 bytes, after earlier runs of this pace. */
async function estimates(paces: Readonly<Record<string, StepPace>>): Promise<Record<string, Estimate>> {
  const runbook = {
    ...rehearsal,
    plan: (asked: Parameters<typeof rehearsal.plan>[0]) => ({ ...rehearsal.plan(asked), second: { commands: [], bytes: 6_000 } }),
  };
  const control = { runs: { stepPaces: () => Promise.resolve(paces) }, attempts: {} } as unknown as Control; // only what a plan without a run asks for
  const facts = { binding: { shape: 'round' }, observed: { size: 1 } };
  const planner = createPlanner({
    catalog: { rehearsal: runbook },
    commands: {},
    control,
    takeFacts: { rehearsal: () => Promise.resolve(facts) },
  });
  const { plan } = await planner.plan({ runbook: 'rehearsal', database: 'orders', input: { word: 'hello' } });
  return Object.fromEntries(plan.steps.map((step) => [step.id, step.estimate]));
}

test('a step takes as long as earlier ones of this database', async () => {
  const pace = { seconds: 7, own: true, bytesPerSecond: 1 };
  expect(await estimates({ first: pace, second: pace })).toMatchObject({
    first: { seconds: 7, from: 'earlier-runs' },
    second: { seconds: 7, from: 'earlier-runs' },
  });
});

test('a step that moves bytes goes by size and rate when only other databases are known', async () => {
  const pace = { seconds: 7, own: false, bytesPerSecond: 2_000 };
  expect(await estimates({ first: pace, second: pace })).toMatchObject({
    first: { seconds: 7, from: 'earlier-runs' },
    second: { seconds: 3, from: 'size-and-rate' },
  });
});

test('nobody knows what never ran', async () => {
  expect(await estimates({ second: { seconds: 7, own: false } })).toMatchObject({
    first: { from: 'unknown' },
    second: { from: 'unknown' },
  });
});
