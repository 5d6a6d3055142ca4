import { expect, test } from 'vitest';
import { planText } from '../../cli/plan-text.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Plan, PlannedStep } from '../../domain/plan.ts';

const plan: Plan = {
  runbook: 'migration-cutover',
  version: 1,
  database: 'orders',
  input: { target: 'orders-18', limits: { pauseMs: 2_000 } },
  steps: [
    {
      id: 'preflight',
      kind: 'check',
      title: 'Preflight',
      estimate: { seconds: 4, from: 'earlier-runs' },
      commands: [],
      holds: [{ what: 'DDL on the source', until: 'retire' }],
    },
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
      holds: [{ what: 'writes', atMostMs: 2_000 }],
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
  steps    4, of which 2 change something
  takes    unknown: 1 of 3 steps have no estimate; the others take about 4.1 s
  asks     step 3 (Agree to the switch)
  holds up DDL on the source, from step 1 to the end of step 5: for a time that has no estimate, and the time that people take to agree
           writes, at step 4: at most 2.0 s; over that the run gives way
  back     possible until step 4 begins, then only forward
  input    target=orders-18 limits={"pauseMs":2000}
  made     2026-11-21T03:00:00.000Z, from facts ffffffffffff
  digest   ${'d'.repeat(64)}

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
  expect(text).toContain('asks     nobody');
  expect(text).toContain('back     possible from every step');
  expect(text).toContain('takes    unknown');
});

const found: Finding[] = [
  { check: 'settings', level: 'informs', evidence: 'max_wal_senders is 10', fix: '' },
  {
    check: 'wal_level',
    level: 'blocks',
    evidence: `wal_level is \u001B[2Jreplica ${'x'.repeat(3_000)}`,
    fix: 'Set it to logical and restart.',
  },
  { check: 'traffic', level: 'warns', evidence: 'a transaction is open for 2 h', fix: 'End it before the switch.' },
  { check: 'identity', level: 'blocks', evidence: 'public.notes has no key', fix: 'Add one.' },
];

test('what blocks stands at the top, first, and again at the end; a server’s text cannot move the cursor, and is cut', () => {
  const text = planText(plan, { findings: found });
  const lines = text.split('\n');
  expect(lines[1]).toBe('  BLOCKED by 2 findings: a run that is asked for now would be refused; 1 warning');
  const listed = lines.slice(
    0,
    lines.findIndex((one) => one.startsWith('  1. check')),
  );
  expect(listed.filter((one) => /^(?:blocks|warns|informs) /.test(one)).map((one) => one.split(':')[0])).toEqual([
    'blocks   wal_level',
    'blocks   identity',
    'warns    traffic',
    'informs  settings',
  ]);
  expect(text.indexOf('FINDINGS')).toBeLessThan(text.indexOf('  1. check'));
  expect(text).toContain('x… (2025 more characters)');
  expect(text).not.toContain('\u001B');
  // A long plan has scrolled by.
  expect(lines.slice(-6)).toEqual([lines[1], ...lines.slice(lines.indexOf('FINDINGS') + 1).slice(0, 4), '']);
});

test('on a terminal a plan that nothing blocks ends with its summary, since its head has scrolled by', () => {
  const findings = found.slice(2, 3);
  const lines = planText(plan, { findings, columns: 200 }).split('\n');
  const verdict = '  NOT BLOCKED: no finding blocks it; 1 warning, see the findings';
  expect(lines[1]).toBe(verdict);
  const summary = lines.slice(lines.indexOf(verdict), lines.findIndex((one) => one.startsWith('  back ')) + 1);
  expect(summary).toHaveLength(7);
  expect(lines.slice(-8)).toEqual([...summary, '']);
  expect(planText(plan, { findings }).split(verdict)).toHaveLength(2);
});

test('on a terminal everything but the commands fits its width', () => {
  const command = { on: 'source', kind: 'sql', text: `SELECT ${'1, '.repeat(60)}1`, when: 'while some '.repeat(20) } as const;
  const wide = {
    ...plan,
    variables: { ...plan.variables, token: 'some word '.repeat(20) },
    steps: [...plan.steps, { ...plan.steps[4], id: 'last', notes: ['word '.repeat(60)], commands: [command] } as PlannedStep],
  };
  for (const columns of [80, 120]) {
    const long = planText(wide, { findings: found, columns })
      .split('\n')
      .filter((one) => one.length > columns);
    expect(long).toEqual([expect.stringContaining('SELECT 1, 1, ')]);
    // Copied with its command, each line of a comment is one.
    expect(planText(wide, { columns }).match(/^ +-- while some/gm)?.length).toBeGreaterThan(1);
  }
});
