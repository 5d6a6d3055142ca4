import { expect, test } from 'vitest';
import { parkedChoices, type ParkedChoice } from '../../../domain/decision.ts';
import {
  changedAt,
  definitionOf,
  isPastNoReturn,
  leaseOf,
  planOf,
  undoable,
  wentBack,
  wentThrough,
  workingSteps,
} from '../expectations.ts';
import { breaks, type Point } from '../faults.ts';
import type { Proving } from '../proving.ts';
import type { Subject } from '../stage.ts';
import type { Trial } from '../trial.ts';

/** What a parked step offers, and what becomes of each choice: the end, the lease, the list of what is left. */
export function provesChoices({ subject, chosen, begin }: Proving): void {
  const parking = workingSteps(subject).filter((step) => changedAt(subject, step));
  const cases = parking.flatMap((step) => offered(subject, step).map((choice) => ({ step, choice })));
  test.concurrent.for(chosen(cases, ({ choice }) => choice))(
    '$step is uncertain, and a person says: $choice',
    async ({ step, choice }, context) => {
      const trial = await begin(context);
      void trial.stage.faults.set(trial.run, {
        step,
        point: pointOf(subject, step, choice),
        strike: async () => await breaks('uncertain'),
      });
      await trial.start();
      expect((await trial.parked(step)).choices).toEqual(offered(subject, step));
      await trial.answer(choice);
      await ends[choice](trial, step);
    },
  );
}

/** A person who marks a step as done has seen its effect; all else is tried before it is there. */
function pointOf(subject: Subject, step: string, choice: ParkedChoice): Point {
  const { kind } = definitionOf(subject, step);
  if (choice === 'mark-done') return 'done';
  return choice === 'start-again' && kind === 'change' && definitionOf(subject, step).pointOfNoReturn !== true ? 'acted' : 'begun';
}

/** What the promises say, for a failure of which nobody knows whether the effect is there. */
function offered(subject: Subject, step: string): ParkedChoice[] {
  const { kind, skippable = false, pointOfNoReturn = false } = definitionOf(subject, step);
  const past = isPastNoReturn(subject, step);
  const possible: Record<ParkedChoice, boolean> = {
    retry: true,
    'start-again': !past && !(subject.noUndo ?? []).includes(step),
    skip: skippable,
    'mark-done': kind === 'change' && !pointOfNoReturn,
    'roll-back': !past,
    abort: true,
  };
  return parkedChoices.filter((choice) => possible[choice]);
}

const ends: Record<ParkedChoice, (trial: Trial, step: string) => Promise<void>> = {
  retry: async (trial, step) => {
    await wentThrough(trial);
    expect(await standing(trial, step)).toMatchObject({ state: 'done', generation: 1 });
  },
  'start-again': async (trial, step) => {
    expect(await trial.closed()).toMatchObject({ outcome: 'succeeded', left: [] });
    await trial.world.judge();
    expect(await standing(trial, step)).toMatchObject({ state: 'done', generation: 2 });
    expect(await leaseOf(trial)).toBe('free');
  },
  skip: async (trial, step) => {
    expect(await trial.closed()).toMatchObject({ outcome: 'succeeded', left: [] });
    expect(await standing(trial, step)).toMatchObject({ state: 'skipped' });
    await trial.world.judge(step);
  },
  'mark-done': async (trial, step) => {
    await wentThrough(trial);
    expect(await standing(trial, step)).toMatchObject({ state: 'marked-done' });
  },
  'roll-back': async (trial) => await wentBack(trial),
  abort: async (trial, step) => {
    const closed = await trial.closed();
    const left = await leftAt(trial, step);
    expect(closed).toMatchObject({ outcome: 'aborted', left });
    // Nothing is taken back, and nobody else may change the database until a person has looked at what is left.
    const journal = await trial.stage.control.attempts.journal(trial.run);
    expect(journal.filter((one) => one.key.endsWith('/undo'))).toEqual([]);
    expect(await leaseOf(trial)).toBe(left.length > 0 ? 'orphaned' : 'free');
  },
};

async function standing(trial: Trial, step: string) {
  return (await trial.detail()).steps.find((one) => one.id === step);
}

/** What an abort leaves: all that an undo would have taken back; past the point of no return all that was still to be done. */
async function leftAt(trial: Trial, step: string): Promise<string[]> {
  const { steps } = await planOf(trial);
  const at = steps.findIndex((one) => one.id === step);
  if (isPastNoReturn(trial.subject, step)) {
    return steps.slice(at).flatMap((one) => (one.applies !== false && one.kind === 'change' ? [`not done: ${one.title}`] : []));
  }
  const taken = await undoable(trial);
  return steps.slice(0, at + 1).flatMap((one) => (taken.includes(one.id) ? [one.title] : []));
}
