import { expect } from 'vitest';
import type { StepDefinition } from '../../domain/step.ts';
import type { Plan } from '../../domain/plan.ts';
import { plannedPattern } from './planned-pattern.ts';
import type { Executed, Subject } from './stage.ts';
import type { Trial } from './trial.ts';

/** The ids of the steps that act or look, in order. */
export function workingSteps({ runbook, absent = [] }: Subject, kinds: readonly string[] = ['check', 'change', 'wait']): string[] {
  return Object.entries(runbook.steps)
    .filter(([id, { kind }]) => kinds.includes(kind) && !absent.includes(id))
    .map(([id]) => id);
}

export function definitionOf({ runbook }: Subject, step: string): StepDefinition {
  const found = runbook.steps[step];
  if (!found) throw new Error(`${runbook.name} has no step ${step}`);
  return found;
}

/** Whether a change stands before the step, or is it: from there on a failure parks. */
export function changedAt(subject: Subject, step: string): boolean {
  const [first] = workingSteps(subject, ['change']);
  const ids = Object.keys(subject.runbook.steps);
  return first !== undefined && ids.indexOf(step) >= ids.indexOf(first);
}

export function isPastNoReturn(subject: Subject, step: string): boolean {
  // One that the plan leaves out is never passed.
  const ids = Object.keys(subject.runbook.steps).filter((id) => subject.absent?.includes(id) !== true);
  const point = ids.findIndex((id) => subject.runbook.steps[id]?.pointOfNoReturn === true);
  return point >= 0 && ids.indexOf(step) > point;
}

/** It went through, nothing was made twice, and all that was executed stands in the plan. */
export async function wentThrough(trial: Trial): Promise<void> {
  expect(await trial.closed()).toMatchObject({ outcome: 'succeeded', left: [] });
  await trial.world.judge();
  await expectOnceAsPlanned(trial);
  expect(await leaseOf(trial)).toBe('free');
}

/** It went back: the world is as it was, object by object. */
export async function wentBack(trial: Trial, outcome: 'rolled-back' | 'refused' = 'rolled-back'): Promise<void> {
  expect(await trial.closed()).toMatchObject({ outcome, left: [] });
  expect(await trial.world.snapshot()).toEqual(trial.before);
  expect(['free', undefined]).toContain(await leaseOf(trial));
  await expectOnceAsPlanned(trial);
}

async function expectOnceAsPlanned(trial: Trial): Promise<void> {
  const executed = await trial.world.executed();
  const made = executed.filter((one) => trial.world.makes(one));
  expect(twiceOver(made.map(({ step, on, text }) => `${step} on ${on}: ${text}`))).toEqual([]);
  const { plan } = await trial.detail();
  // Who was refused before there was a plan has done nothing.
  const commands = plan === null ? [] : plannedCommands(await planOf(trial), trial.run);
  const isPlanned = (one: Executed): boolean =>
    commands.some(({ step, on, pattern }) => step === one.step && on === one.on && pattern.test(one.text));
  expect(executed.filter((one) => !isPlanned(one))).toEqual([]);
}

/** With the commands of the undos: a failed switch restores service by itself, by those. */
function plannedCommands({ steps }: Plan, run: string): { step: string; on: string; pattern: RegExp }[] {
  return steps.flatMap((step) => {
    const commands = step.applies === false ? [] : [...step.commands, ...(step.undo ?? [])];
    return commands.map((command) => ({ step: step.id, on: command.on, pattern: plannedPattern(command, run) }));
  });
}

export async function leaseOf({ stage, world }: Trial): Promise<string | undefined> {
  return (await stage.control.lease.find(world.database))?.state;
}

export function twiceOver(effects: readonly string[]): string[] {
  return effects.filter((one, index) => effects.indexOf(one) !== index);
}

/** The steps that the plan takes back, in order. */
export async function undoable(trial: Trial): Promise<string[]> {
  const { steps } = await planOf(trial);
  return steps.flatMap((step) => (step.applies !== false && step.undo !== undefined ? [step.id] : []));
}

/** The newest plan of the run. */
export async function planOf({ stage, detail }: Trial): Promise<Plan> {
  // Stored by the activity that made it.
  return (await stage.control.documents.get((await detail()).plan ?? '')) as Plan;
}
