import { beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { anna, aRun, controlPlace, failureOf, kindsOf } from './support.ts';

const place = controlPlace();
let control: Control;
let run: string;
beforeEach(async () => {
  ({ control } = await place.emptied(20));
  run = await aRun(control);
  await control.lease.take('orders', run, async () => true);
});

const keyOf = (undo: boolean): string => `${run}/switch/1${undo ? '/undo' : ''}`;
const claimed = async (undo = false) => {
  const { number } = await control.attempts.claim({ key: keyOf(undo), run, step: 'switch', generation: 1, undo });
  return { number, attemptKey: keyOf(undo), run, database: 'orders' };
};
const decided = async (): Promise<number> => (await kindsOf(control, run)).filter((kind) => kind === 'no-return.decided').length;

describe('the decision about the side in charge', () => {
  it('is set once and never changed', async () => {
    const attempt = await claimed();
    expect(await control.noReturn.read(run)).toBeNull();
    expect(await control.noReturn.decide(run, attempt, 'forward', { marker: '0/1' })).toBe('forward');
    expect(await control.noReturn.decide(run, attempt, 'back', { marker: '0/2' })).toBe('forward');
    expect(await control.noReturn.read(run)).toEqual({ side: 'forward', facts: { marker: '0/1' } });
    expect(await decided()).toBe(1);
  });

  it('is one for two who decide at the same time, of the same attempt or of act and undo', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [act, undo] = [await claimed(), await claimed(true)];
      const key = `${run}#${round}`;
      const sides = await Promise.all([
        control.noReturn.decide(key, act, 'forward', {}),
        control.noReturn.decide(key, undo, 'back', {}),
        control.noReturn.decide(key, act, 'back', {}),
      ]);
      expect(new Set(sides)).toEqual(new Set([(await control.noReturn.read(key))?.side]));
    }
    expect(await decided()).toBe(10);
  });

  it('is not for an attempt that has given way', async () => {
    const old = await claimed();
    const newer = await claimed();
    await failureOf('superseded', control.noReturn.decide(run, old, 'forward', {}));
    expect(await control.noReturn.read(run)).toBeNull();
    expect(await control.noReturn.decide(run, newer, 'back', {})).toBe('back');
    await failureOf('superseded', control.noReturn.decide(run, old, 'forward', {}));
  });

  it('is told to the attempt that made it and lost the answer, even when the lease has gone since', async () => {
    const attempt = await claimed();
    await control.noReturn.decide(run, attempt, 'forward', {});
    await control.lease.release('orders', anna, 'test', async () => false);
    expect(await control.noReturn.decide(run, attempt, 'forward', {})).toBe('forward');
  });

  it('is never forward without the lease, but back always', async () => {
    const attempt = await claimed();
    await control.lease.release('orders', anna, 'test', async () => false);
    await failureOf('lease-lost', control.noReturn.decide(run, attempt, 'forward', {}));
    expect(await control.noReturn.decide(run, attempt, 'back', {})).toBe('back');
    expect(await decided()).toBe(1);
  });
});
