import { expect, test } from 'vitest';
import { runNameOf } from '../../../domain/run.ts';
import { callsOf, type ChangingCall } from '../changing-calls.ts';
import { definitionOf, leaseOf, wentBack, wentThrough } from '../expectations.ts';
import { breaks, type Point } from '../faults.ts';
import type { Proving } from '../proving.ts';
import type { Made } from '../stage.ts';
import type { Trial } from '../trial.ts';

/**
 * Somebody else is at work on what a run makes or removes at a provider. What they have made stays theirs, by whatever name; what
 * they have changed is shown; what they have removed is removed.
 */
export function provesOthers({ chosen, begin }: Proving, calls: readonly ChangingCall[]): void {
  const making = chosen(
    calls.flatMap(({ step, makes }) => (makes ? [{ step, made: makes }] : [])),
    () => 'all',
  );
  const taking = chosen(
    calls.flatMap(({ step, takes }) => (takes ? [{ step, made: takes }] : [])),
    () => 'all',
  );
  test.concurrent.for(making)('the name of what $step makes is taken by others: refused, and theirs stays', async ({ made }, context) => {
    const trial = await begin(context);
    await callsOf(trial).occupy(made, nameOf(trial));
    const before = await trial.world.snapshot();
    await trial.start();
    expect(await trial.closed()).toMatchObject({ outcome: 'refused', because: expect.stringContaining(nameOf(trial)) as string, left: [] });
    expect(await trial.world.snapshot()).toEqual(before);
  });

  const changeable = making.filter(({ made }) => made.kind === 'instance');
  test.concurrent.for(changeable)('what $step has made is changed by others: shown, and taken back', async ({ step, made }, context) => {
    const trial = await begin(context);
    await parkedAt(trial, step, 'acted');
    await callsOf(trial).alter(made, nameOf(trial));
    await trial.answer('retry');
    expect((await trial.parked(step)).failure).toMatchObject({
      code: 'drift',
      message: expect.stringContaining('sg-quarantine') as string,
    });
    await trial.answer('roll-back');
    await wentBack(trial);
  });

  test.concurrent.for(making)('what $step has made is removed by others: nothing to take back', async ({ step, made }, context) => {
    const trial = await begin(context);
    await parkedAt(trial, step, 'acted');
    await callsOf(trial).remove(made, nameOf(trial));
    await trial.answer('roll-back');
    await wentBack(trial);
  });

  test.concurrent.for(making)('and others take its name: theirs stays, and people are told ($step)', async ({ step, made }, context) => {
    const trial = await begin(context);
    await parkedAt(trial, step, 'acted');
    const theirs = await replaced(trial, made);
    await trial.answer('roll-back');
    const { left, ...end } = await trial.closed();
    expect(end).toMatchObject({ outcome: 'needs-attention' });
    expect(left.join()).toContain(definitionOf(trial.subject, step).title);
    expect(await leaseOf(trial)).toBe('orphaned');
    expect(await callsOf(trial).identity(made, nameOf(trial))).toBe(theirs);
  });

  test.concurrent.for(taking)('what $step removes is gone already: it goes on', async ({ step, made }, context) => {
    const trial = await begin(context);
    await parkedAt(trial, step, 'begun');
    await callsOf(trial).remove(made, nameOf(trial));
    await trial.answer('retry');
    await wentThrough(trial);
  });

  test.concurrent.for(taking)('and others have its name: theirs stays ($step)', async ({ step, made }, context) => {
    const trial = await begin(context);
    await parkedAt(trial, step, 'begun');
    const theirs = await replaced(trial, made);
    await trial.answer('retry');
    expect((await trial.parked(step)).failure).toMatchObject({ code: 'foreign-object' });
    await trial.answer('abort');
    expect(await trial.closed()).toMatchObject({ outcome: 'aborted' });
    expect(await callsOf(trial).identity(made, nameOf(trial))).toBe(theirs);
  });
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
