import { beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { anna, aRun, controlPlace, failureOf, kindsOf } from './support.ts';

const place = controlPlace();
let control: Control;
let one: string;
let two: string;
beforeEach(async () => {
  ({ control } = await place.emptied(20));
  [one, two] = [await aRun(control), await aRun(control)];
});

const open = async (): Promise<boolean> => true;
const closed = async (): Promise<boolean> => false;
const never = async (): Promise<boolean> => {
  throw new Error('nobody may ask');
};
/** Claims and intends a change of the run; its attempt. */
const intended = async (run: string, step = 'publish'): Promise<{ key: string; number: number; run: string; step: string }> => {
  const key = `${run}/${step}/1`;
  const { number } = await control.attempts.claim({ key, run, step, generation: 1, undo: false });
  await control.attempts.intend({ key, number, run, step, database: 'orders', before: {} });
  return { key, number, run, step };
};
const undone = async (run: string, outcome: string | null, step = 'publish'): Promise<void> => {
  const key = `${run}/${step}/1/undo`;
  const { number } = await control.attempts.claim({ key, run, step, generation: 1, undo: true });
  if (outcome !== null) await control.attempts.settle({ key, number, run, step }, outcome);
};

describe('taking a lease', () => {
  it('is a no-op for its holder', async () => {
    expect(await control.lease.find('orders')).toBeNull();
    expect(await control.lease.take('orders', one, never)).toEqual({ epoch: 1 });
    expect(await control.lease.take('orders', one, never)).toEqual({ epoch: 1 });
    expect(await control.lease.find('orders')).toEqual({
      database: 'orders',
      holder: one,
      epoch: 1,
      state: 'held',
      since: expect.any(String),
    });
    expect((await kindsOf(control)).filter((kind) => kind === 'lease.taken')).toHaveLength(1);
  });

  it('is refused while another open run holds it', async () => {
    await control.lease.take('orders', one, open);
    const failure = await failureOf('lease-held', control.lease.take('orders', two, open));
    expect(failure.facts).toMatchObject({ holder: one });
  });

  it('goes to the next one under a new epoch after it was given back', async () => {
    await control.lease.take('orders', one, open);
    await control.runs.close(one, { outcome: 'succeeded', free: true });
    expect(await control.lease.take('orders', two, never)).toEqual({ epoch: 2 });
    expect(await control.lease.find('orders')).toMatchObject({ holder: two, state: 'held' });
  });

  it('goes to exactly one of 20 at the same time', async () => {
    const runs = await Promise.all(Array.from({ length: 20 }, () => aRun(control)));
    const results = await Promise.allSettled(runs.map((run) => control.lease.take('orders', run, open)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect((await kindsOf(control)).filter((kind) => kind === 'lease.taken')).toHaveLength(1);
  });

  it('passes over a closed holder that left nothing, for exactly one of 20', async () => {
    await control.lease.take('orders', one, open);
    await control.attempts.claim({ key: `${one}/publish/1`, run: one, step: 'publish', generation: 1, undo: false });
    const runs = await Promise.all(Array.from({ length: 20 }, () => aRun(control)));
    const results = await Promise.allSettled(runs.map((run) => control.lease.take('orders', run, async (holder) => holder !== one)));
    expect(results.filter((result) => result.status === 'fulfilled').map((result) => result.value)).toEqual([{ epoch: 2 }]);
    const kinds = (await kindsOf(control)).filter((kind) => kind.startsWith('lease.'));
    expect(kinds).toEqual(['lease.taken', 'lease.freed', 'lease.taken']);
  });

  it.each([
    ['open intent', null],
    ['effect that was made', 'made'],
    ['effect that was adopted', 'adopted'],
  ])('finds it orphaned when a closed holder left an %s, and names it', async (_, outcome) => {
    await control.lease.take('orders', one, open);
    await control.runs.planned(one, { digest: 'd1', steps: [{ id: 'publish', kind: 'change', title: 'Publish', applies: true }] });
    const attempt = await intended(one);
    if (outcome !== null) await control.attempts.settle(attempt, outcome);
    for (let time = 1; time <= 2; time += 1) {
      const failure = await failureOf('lease-orphaned', control.lease.take('orders', two, closed));
      expect(failure.facts).toEqual({ database: 'orders', holder: one, left: [`publish: ${attempt.key}`] });
      expect(failure.message).toContain(`it left: Publish: ${attempt.key}`);
    }
    expect(await control.lease.find('orders')).toMatchObject({ holder: one, state: 'orphaned' });
    expect((await kindsOf(control, one)).filter((kind) => kind === 'lease.orphaned')).toHaveLength(1);
  });

  it.each([['undone'], ['nothing-to-undo']])('is free when every intent of a closed holder ended as %s', async (outcome) => {
    await control.lease.take('orders', one, open);
    await control.attempts.settle(await intended(one), 'made');
    await undone(one, outcome);
    expect(await control.lease.take('orders', two, closed)).toEqual({ epoch: 2 });
  });

  it('is orphaned while an undo has begun and has no outcome', async () => {
    await control.lease.take('orders', one, open);
    await control.attempts.settle(await intended(one), 'made');
    await undone(one, null);
    await failureOf('lease-orphaned', control.lease.take('orders', two, closed));
  });

  it('notices an intent that is written between the look and the taking', async () => {
    await control.lease.take('orders', one, open);
    const late = async (): Promise<boolean> => {
      if ((await control.attempts.journal(one)).length === 0) await intended(one);
      return false;
    };
    await failureOf('lease-orphaned', control.lease.take('orders', two, late));
  });

  it('is given back to a run that was reset after its lease was orphaned', async () => {
    await control.lease.take('orders', one, open);
    await intended(one);
    await failureOf('lease-orphaned', control.lease.take('orders', two, closed));
    expect(await control.lease.take('orders', one, never)).toEqual({ epoch: 1 });
    expect(await control.lease.find('orders')).toMatchObject({ holder: one, state: 'held' });
  });

  it('is possible after its orphaned holder ended properly after all', async () => {
    await control.lease.take('orders', one, open);
    await intended(one);
    await failureOf('lease-orphaned', control.lease.take('orders', two, closed));
    await control.runs.close(one, { outcome: 'rolled-back', free: true });
    expect(await control.lease.take('orders', two, never)).toEqual({ epoch: 2 });
  });
});

describe('releasing a lease', () => {
  it('is for an orphaned one, by a person with a reason', async () => {
    await control.lease.take('orders', one, open);
    const attempt = await intended(one);
    await failureOf('lease-orphaned', control.lease.take('orders', two, closed));
    await control.lease.release('orders', anna, 'dropped by hand', closed);
    await control.lease.release('orders', anna, 'dropped by hand', never);
    const events = (await control.events.list({ run: one, limit: 20 })).filter((event) => event.kind === 'lease.released');
    expect(events).toMatchObject([{ actor: anna, data: { reason: 'dropped by hand', left: [`publish: ${attempt.key}`] } }]);
    expect(await control.lease.take('orders', two, never)).toEqual({ epoch: 2 });
    await failureOf('lease-lost', control.attempts.current({ ...attempt, database: 'orders' }));
  });

  it('is refused while its run is open, and without a lease', async () => {
    await control.lease.take('orders', one, open);
    await failureOf('conflict', control.lease.release('orders', anna, 'impatient', open));
    expect(await control.lease.find('orders')).toMatchObject({ state: 'held' });
    await control.lease.release('orders', anna, 'it was terminated', closed);
    expect(await control.lease.find('orders')).toMatchObject({ state: 'free' });
    await failureOf('not-found', control.lease.release('unheard-of', anna, 'typo', closed));
  });
});
