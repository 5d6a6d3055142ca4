import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonical, digestFrom, digestOf } from '../../domain/digest.ts';
import type { Facts, PlannedStep } from '../../domain/plan.ts';

const estimate = { from: 'unknown' } as const;
const steps: readonly PlannedStep[] = [
  { id: 'look', kind: 'check', title: 'Look', estimate, commands: [{ on: 'source', kind: 'sql', text: 'SELECT 1' }] },
  {
    id: 'publish',
    kind: 'change',
    title: 'Publish',
    estimate,
    commands: [{ on: 'source', kind: 'sql', text: 'CREATE PUBLICATION :"tag"' }],
    undo: [{ on: 'source', kind: 'sql', text: 'DROP PUBLICATION :"tag"' }],
  },
  { id: 'agree', kind: 'approval', title: 'Agree', estimate, applies: false, because: 'the risk is low' },
  {
    id: 'switch',
    kind: 'change',
    title: 'Switch',
    estimate,
    pointOfNoReturn: true,
    commands: [{ on: 'pooler', kind: 'pgbouncer', text: 'PAUSE orders' }],
  },
];
const plan = { runbook: 'migration-cutover', version: 1, database: 'orders', input: { target: 'orders-next' }, steps };
const facts: Facts = { binding: { systemIdentifier: '7300000000000000001', tables: ['a', 'b'] }, observed: { bytes: 100 } };

/** The plan with one of its steps changed. */
function withStep(id: string, change: (step: PlannedStep) => PlannedStep): typeof plan {
  return { ...plan, steps: steps.map((step) => (step.id === id ? change(step) : step)) };
}

describe('canonical', () => {
  it('sorts keys by UTF-16 code units and prints numbers as RFC 8785 does', () => {
    const example = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonical(example)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonical(keys)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
  });

  it('refuses what is not JSON', () => {
    expect(() => canonical(undefined)).toThrow(TypeError);
    expect(() => canonical(() => 1)).toThrow();
    expect(() => canonical({ lag: Number.NaN })).toThrow();
  });
});

describe('digestOf', () => {
  it('is the SHA-256 of the canonical form, whatever the order of the keys', () => {
    expect(digestOf({ b: 1, a: [2, { d: 3, c: 4 }] })).toBe(digestOf({ a: [2, { c: 4, d: 3 }], b: 1 }));
    expect(digestOf({ b: 1, a: 2 })).toBe(createHash('sha256').update('{"a":2,"b":1}').digest('hex'));
  });
});

describe('digestFrom', () => {
  const digest = digestFrom(plan, facts);

  it('does not depend on what was only observed', () => {
    expect(digestFrom(plan, { ...facts, observed: { bytes: 999, lag: 3 } })).toBe(digest);
    expect(
      digestFrom(
        withStep('publish', (step) => ({ ...step, estimate: { from: 'earlier-runs', seconds: 3 } })),
        facts,
      ),
    ).toBe(digest);
    expect(
      digestFrom(
        withStep('look', (step) => ({ ...step, limits: [{ text: 'lag ≤ 16 MB' }], notes: ['note'] })),
        facts,
      ),
    ).toBe(digest);
    expect(
      digestFrom(
        withStep('look', (step) => ({ ...step, title: 'Look well' })),
        facts,
      ),
    ).toBe(digest);
  });

  it.each([
    ['a binding fact', () => digestFrom(plan, { ...facts, binding: { ...facts.binding, tables: ['a'] } })],
    ['the input', () => digestFrom({ ...plan, input: { target: 'other' } }, facts)],
    ['the runbook', () => digestFrom({ ...plan, runbook: 'restore' }, facts)],
    ['its version', () => digestFrom({ ...plan, version: 2 }, facts)],
    ['the database', () => digestFrom({ ...plan, database: 'billing' }, facts)],
    [
      'a command',
      () =>
        digestFrom(
          withStep('publish', (step) => ({ ...step, commands: [] })),
          facts,
        ),
    ],
    [
      'an undo',
      () =>
        digestFrom(
          withStep('publish', (step) => ({ ...step, undo: [] })),
          facts,
        ),
    ],
    [
      'the kind of a step',
      () =>
        digestFrom(
          withStep('look', (step) => ({ ...step, kind: 'change' })),
          facts,
        ),
    ],
    [
      'whether a step applies',
      () =>
        digestFrom(
          withStep('agree', ({ id, kind, title }) => ({ id, kind, title, estimate, commands: [] })),
          facts,
        ),
    ],
    [
      'whether a step may be skipped',
      () =>
        digestFrom(
          withStep('look', (step) => ({ ...step, skippable: true })),
          facts,
        ),
    ],
    [
      'the point of no return',
      () =>
        digestFrom(
          withStep('switch', (step) => ({ ...step, pointOfNoReturn: false })),
          facts,
        ),
    ],
    ['the order of the steps', () => digestFrom({ ...plan, steps: steps.toReversed() }, facts)],
  ])('changes with %s', (_what, changed) => {
    expect(changed()).not.toBe(digest);
  });

  it('binds to the steps from the given one on, and not to those before it', () => {
    const rest = digestFrom(plan, facts, 'agree');
    expect(rest).not.toBe(digest);
    expect(digestFrom(plan, facts, 'look')).toBe(digest);
    expect(
      digestFrom(
        withStep('publish', (step) => ({ ...step, commands: [] })),
        facts,
        'agree',
      ),
    ).toBe(rest);
    expect(
      digestFrom(
        withStep('switch', (step) => ({ ...step, commands: [] })),
        facts,
        'agree',
      ),
    ).not.toBe(rest);
    expect(() => digestFrom(plan, facts, 'absent')).toThrow('the plan has no step absent');
  });
});
