import { expect, test } from 'vitest';
import { runNameOf } from '../../../domain/run.ts';
import { callsOf, type ChangingCall } from '../changing-calls.ts';
import { definitionOf, leaseOf, wentBack, wentThrough } from '../expectations.ts';
import { breaks, type Point } from '../faults.ts';
import type { Proving } from '../proving.ts';
import type { Made } from '../stage.ts';
import type { Trial } from '../trial.ts';

/** What others do to the thing of a step, and what becomes of the run. */
interface Situation {
  readonly name: string;
  readonly of: 'makes' | 'takes';
  readonly end: 'as if nothing were' | 'people are told';
  /** Default any. */
  readonly kind?: Made['kind'];
  proves(trial: Trial, step: string, made: Made): Promise<void>;
}

const situations: readonly Situation[] = [
  {
    name: 'its name is taken: refused, and theirs stays',
    ...{ of: 'makes', end: 'people are told' },
    proves: async (trial, _, made) => {
      await callsOf(trial).occupy(made, nameOf(trial));
      const before = await trial.world.snapshot();
      await trial.start();
      const because = expect.stringContaining(nameOf(trial)) as string;
      expect(await trial.closed()).toMatchObject({ outcome: 'refused', because, left: [] });
      expect(await trial.world.snapshot()).toEqual(before);
    },
  },
  {
    name: 'it is changed: shown, and taken back',
    ...{ of: 'makes', kind: 'instance', end: 'people are told' },
    proves: async (trial, step, made) => {
      await parkedAt(trial, step, 'acted');
      await callsOf(trial).alter(made, nameOf(trial));
      await trial.answer('retry');
      const message = expect.stringContaining('sg-quarantine') as string;
      expect((await trial.parked(step)).failure).toMatchObject({ code: 'drift', message });
      await trial.answer('roll-back');
      await wentBack(trial);
    },
  },
  {
    name: 'it is removed: nothing to take back',
    ...{ of: 'makes', end: 'as if nothing were' },
    proves: async (trial, step, made) => {
      await parkedAt(trial, step, 'acted');
      await callsOf(trial).remove(made, nameOf(trial));
      await trial.answer('roll-back');
      await wentBack(trial);
    },
  },
  {
    name: 'it is replaced, and to be taken back: theirs stays',
    ...{ of: 'makes', end: 'people are told' },
    proves: async (trial, step, made) => {
      await parkedAt(trial, step, 'acted');
      const theirs = await replaced(trial, made);
      await trial.answer('roll-back');
      const { left, outcome } = await trial.closed();
      expect(outcome).toBe('needs-attention');
      expect(left.join()).toContain(definitionOf(trial.subject, step).title);
      expect(await leaseOf(trial)).toBe('orphaned');
      expect(await callsOf(trial).identity(made, nameOf(trial))).toBe(theirs);
    },
  },
  {
    name: 'it is gone already: goes on',
    ...{ of: 'takes', end: 'as if nothing were' },
    proves: async (trial, step, made) => {
      await parkedAt(trial, step, 'begun');
      await callsOf(trial).remove(made, nameOf(trial));
      await trial.answer('retry');
      await wentThrough(trial);
    },
  },
  {
    name: 'it was replaced: theirs stays',
    ...{ of: 'takes', end: 'people are told' },
    proves: async (trial, step, made) => {
      await parkedAt(trial, step, 'begun');
      const theirs = await replaced(trial, made);
      await trial.answer('retry');
      expect((await trial.parked(step)).failure).toMatchObject({ code: 'foreign-object' });
      await trial.answer('abort');
      expect(await trial.closed()).toMatchObject({ outcome: 'aborted' });
      expect(await callsOf(trial).identity(made, nameOf(trial))).toBe(theirs);
    },
  },
];

/**
 * Somebody else is at work on what a run makes or removes at a provider. What they have made stays theirs, by whatever name; what
 * they have changed is shown; what they have removed is removed.
 */
export function provesOthers({ chosen, begin }: Proving, calls: readonly ChangingCall[]): void {
  const cases = situations.flatMap((situation) =>
    calls.flatMap(({ step, [situation.of]: made }) =>
      made && (situation.kind ?? made.kind) === made.kind ? [{ step, made, situation, name: situation.name }] : [],
    ),
  );
  test.concurrent.for(chosen(cases, ({ situation }) => situation.end))(
    'others, and what $step makes or removes: $name',
    async ({ step, made, situation }, context) => await situation.proves(await begin(context), step, made),
  );
}

const nameOf = ({ run }: Trial): string => `steadyhand-${runNameOf(run).id.toLowerCase()}`;

async function parkedAt(trial: Trial, step: string, point: Point): Promise<void> {
  void trial.stage.faults.set(trial.run, { step, point, strike: breaks });
  await trial.start();
  await trial.parked(step);
}

/** Theirs by the run's own name, where its own was. */
async function replaced(trial: Trial, made: Made): Promise<string> {
  const { remove, occupy, identity } = callsOf(trial);
  const ours = await identity(made, nameOf(trial));
  await remove(made, nameOf(trial));
  await occupy(made, nameOf(trial));
  const theirs = await identity(made, nameOf(trial));
  if (theirs === undefined || theirs === ours) throw new Error(`${nameOf(trial)} is not theirs`);
  return theirs;
}
