import { expect } from 'vitest';
import type { AnyRunbook } from '../../domain/runbook.ts';
import { breaks } from '../harness/faults.ts';
import type { Trial } from '../harness/trial.ts';

/** The runs that are recorded of a runbook, each until its history is as it is kept. `step` is a change of the runbook's. */
export const scenes: Readonly<Record<string, (trial: Trial, step: string) => Promise<void>>> = {
  succeeded: async (trial) => {
    await trial.start();
    expect(await trial.closed()).toMatchObject({ outcome: 'succeeded' });
  },
  'rolled-back': async (trial, step) => {
    await parked(trial, step);
    await trial.answer('roll-back');
    expect(await trial.closed()).toMatchObject({ outcome: 'rolled-back' });
  },
  parked: async (trial, step) => await parked(trial, step),
  'started-again': async (trial, step) => {
    await parked(trial, step);
    await trial.answer('start-again');
    expect(await trial.closed()).toMatchObject({ outcome: 'succeeded' });
  },
  cancelled: async (trial) => {
    await trial.start();
    const approvals = Object.entries(trial.subject.runbook.steps).flatMap(([id, { kind }]) => (kind === 'approval' ? [id] : []));
    await trial.until((now) => now.questions.some((one) => one.approval === approvals.at(-1)));
    await trial.decide(trial.subject.people.operates, 'cancel');
    expect(await trial.closed()).toMatchObject({ outcome: 'rolled-back' });
  },
};

/** Those that a runbook's runs can come to: where nothing can be undone, nothing is rolled back or started again. */
export function scenesOf({ takesBack }: AnyRunbook): string[] {
  const undone = ['rolled-back', 'started-again'];
  const undoes = Object.keys(takesBack?.undos ?? {}).length > 0;
  return Object.keys(scenes).filter((scene) => undoes || !undone.includes(scene));
}

async function parked(trial: Trial, step: string): Promise<void> {
  void trial.stage.faults.set(trial.run, { step, point: 'begun', strike: async () => await breaks('uncertain') });
  await trial.start();
  await trial.parked(step);
}
