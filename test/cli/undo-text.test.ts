import { expect, test } from 'vitest';
import { undoText } from '../../cli/undo-text.ts';
import type { Plan, PlannedStep } from '../../domain/plan.ts';
import { aRun, aStep, id } from './a-run.ts';

const tag = `steadyhand_${id.toLowerCase()}`;

function change(step: string, undo: string, more: Partial<PlannedStep> = {}): PlannedStep {
  // The parts of a step that takes something back; `more` adds to them.
  const made = {
    id: step,
    kind: 'change',
    title: step,
    estimate: { from: 'unknown' },
    commands: [],
    undo: [{ on: 'source', kind: 'sql', text: undo }],
  };
  return { ...made, ...more } as PlannedStep;
}

const plan: Plan = {
  runbook: 'migration-cutover',
  version: 1,
  database: 'orders',
  input: {},
  steps: [
    change('freeze', 'DROP EVENT TRIGGER :"tag_drop"'),
    change('publish', `SELECT 1 WHERE slot = :'slot' AND tag = :'tag'`),
    change('analyze', 'SELECT 2'),
    change('switch', 'SELECT 3', { pointOfNoReturn: true }),
  ],
  variables: { slot: 'a slot of the run' },
  facts: 'f'.repeat(64),
  digest: 'd'.repeat(64),
  madeAt: '2026-11-21T03:00:00.000Z',
};
const steps = ['done', 'stopped', 'pending', 'pending'].map((state, index) =>
  // One of the states of a step.
  aStep({ id: plan.steps[index]?.id ?? '', position: index + 1, title: `Step ${index + 1}`, state: state as 'done' }),
);
const ended = aRun({ state: 'closed', outcome: 'needs-attention', left: ['freeze: made', 'publish: was begun'], steps });

test('what a run left is taken back from its last step on, with its names filled in where they are known', () => {
  expect(undoText(ended, plan, false).split('\n').slice(4)).toEqual([
    '  2. publish',
    `     source sql       SELECT 1 WHERE slot = :'slot' AND tag = :'tag';`,
    '',
    '  1. freeze',
    `     source sql       DROP EVENT TRIGGER "${tag}_drop";`,
    '',
    `Values that are yours to fill in (the tag of the run is ${tag}):`,
    '  :slot  a slot of the run',
    '',
    "Then free the lease: steadyhand lease release orders --reason '…'",
    '',
  ]);
});

test('nothing is printed once there may be no way back', () => {
  expect(() => undoText(ended, plan, true)).toThrow('began the step without return');
  const switched = steps.map((step) => (step.id === 'switch' ? { ...step, state: 'stopped' as const } : step));
  expect(() => undoText({ ...ended, steps: switched }, plan, false)).toThrow('began the step without return');
});

test('a run that goes on, and one that left nothing, have nothing to take back by hand', () => {
  expect(() => undoText({ ...ended, state: 'running' }, plan, false)).toThrow('cancel it');
  expect(() => undoText({ ...ended, left: [] }, plan, false)).toThrow('left nothing behind');
});
