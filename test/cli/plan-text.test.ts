import { expect, test } from 'vitest';
import { planText } from '../../cli/plan-text.ts';
import type { Plan } from '../../domain/plan.ts';

const plan: Plan = {
  runbook: 'migration-cutover',
  version: 1,
  database: 'orders',
  input: { target: 'orders-18', limits: { pauseMs: 2_000 } },
  steps: [
    { id: 'preflight', kind: 'check', title: 'Preflight', estimate: { seconds: 4, from: 'earlier-runs' }, commands: [] },
    {
      id: 'schema',
      kind: 'change',
      title: 'Copy the schema',
      estimate: { from: 'unknown' },
      applies: false,
      because: 'the input says it is there',
    },
    { id: 'agree', kind: 'approval', title: 'Agree to the switch', estimate: { from: 'unknown' }, commands: [] },
    {
      id: 'switch',
      kind: 'change',
      title: 'Switch',
      pointOfNoReturn: true,
      skippable: true,
      estimate: { seconds: 0.085, from: 'earlier-runs' },
      commands: [
        { on: 'pooler', kind: 'pgbouncer', text: 'PAUSE orders' },
        { on: 'source', kind: 'sql', text: 'SELECT 1\nFROM :"run_tag"' },
      ],
      undo: [{ on: 'pooler', kind: 'pgbouncer', text: 'RESUME orders' }],
      limits: [{ text: 'lag ≤ 16 MB' }],
      notes: ['Writes are held up for the pause.'],
    },
    { id: 'retire', kind: 'change', title: 'Retire', estimate: { from: 'unknown' }, commands: [], noUndo: 'the old side is gone' },
  ],
  variables: { run_tag: 'the name of everything that the run makes' },
  facts: 'f'.repeat(64),
  digest: 'd'.repeat(64),
  madeAt: '2026-11-21T03:00:00.000Z',
};

test('a plan reads from head to end: what, who is asked, commands, undo, limits, the way back', () => {
  expect(planText(plan)).toBe(`PLAN  migration-cutover of orders (version 1)
  digest  ${'d'.repeat(64)}
  made    2026-11-21T03:00:00.000Z, from facts ffffffffffff
  input   target=orders-18 limits={"pauseMs":2000}
  takes   unknown: 1 of 3 steps cannot be told; the others take about 4.1 s
  asks    step 3 (Agree to the switch)
  back    possible until step 4 begins, then only forward

  1. check    Preflight  (about 4.0 s, by earlier runs)

  2. change   Copy the schema
       not needed: the input says it is there

  3. approval Agree to the switch

======== POINT OF NO RETURN: from step 4 on there is only forward ========
  4. change   Switch  (about 85 ms, by earlier runs)
       pooler pgbouncer PAUSE orders
       source sql       SELECT 1
                        FROM :"run_tag"
       limit  lag ≤ 16 MB
       note   Writes are held up for the pause.
       undo pooler pgbouncer RESUME orders
       may be skipped if it fails

  5. change   Retire
       no undo: the old side is gone

Values that are known only when the step runs:
  :run_tag  the name of everything that the run makes
`);
});

test('without an approval, a point of no return or a known estimate, it says so', () => {
  const text = planText({ ...plan, steps: plan.steps.slice(1, 2), input: {}, variables: {}, from: 'schema' });
  expect(text).toContain('of the steps from step 1 on');
  expect(text).toContain('asks    nobody');
  expect(text).toContain('back    possible from every step');
  expect(text).toContain('takes   unknown');
});
