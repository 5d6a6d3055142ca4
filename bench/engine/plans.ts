import { z } from 'zod';
import type { StepPlans } from '../../domain/plan.ts';
import type { Risk } from '../../domain/run.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import type { StepDefinition, StepDefinitions } from '../../domain/step.ts';

const kinds: Record<'check' | 'change' | 'wait', StepPlans[string]> = {
  check: { commands: [] },
  change: { commands: [{ on: 'worker', kind: 'shell', text: 'make it' }], undo: [{ on: 'worker', kind: 'shell', text: 'unmake it' }] },
  wait: { commands: [] },
};

function runbook(name: string, risk: Risk, steps: StepDefinitions): AnyRunbook {
  return {
    name,
    version: 1,
    risk,
    summary: 'Measured by the bench.',
    input: z.strictObject({}),
    steps,
    variables: {},
    plan: () =>
      Object.fromEntries(Object.entries(steps).map(([id, { kind }]) => [id, kind === 'approval' ? { commands: [] } : kinds[kind]])),
  };
}

function numbered(kind: 'check' | 'change', count: number): StepDefinitions {
  const one = (place: number): [string, StepDefinition] => [`step-${place}`, { kind, title: `Step ${place}` }];
  return Object.fromEntries(Array.from({ length: count }, (_, index) => one(index + 1)));
}

/** The runbooks that the bench follows, over a world in memory: what is left is what the engine itself costs. */
export const catalog: Readonly<Record<string, AnyRunbook>> = Object.fromEntries(
  [
    runbook('changes-10', 'low', numbered('change', 10)),
    runbook('changes-20', 'low', numbered('change', 20)),
    runbook('checks-10', 'low', numbered('check', 10)),
    runbook('checks-20', 'low', numbered('check', 20)),
    runbook('asking', 'medium', { agree: { kind: 'approval', title: 'Agree' }, 'step-1': { kind: 'change', title: 'Step 1' } }),
    runbook('waiting', 'low', { 'step-1': { kind: 'wait', title: 'Wait' } }),
    runbook('quick', 'low', { 'step-1': { kind: 'check', title: 'Step 1' } }),
  ].map((one) => [one.name, one]),
);
