import { beforeEach, expect, test } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { digestOf } from '../../domain/digest.ts';
import { aRun, controlPlace } from './support.ts';

const place = controlPlace();
let control: Control;
beforeEach(async () => {
  ({ control } = await place.emptied());
});

const old = { systemIdentifier: '7001', databaseOid: 16_400, host: 'old', port: 5_432, dbname: 'orders' };
const new18 = { systemIdentifier: '7002', databaseOid: 16_384, host: 'new', port: 5_433, dbname: 'orders' };

/** A run with the stored plan and facts of a move, that decided so. */
async function decided(source: typeof old, target: typeof old, side: 'forward' | 'back'): Promise<string> {
  const run = await aRun(control, { input: { target: 'orders-18' } });
  const facts = { binding: { source, target, run }, observed: {} };
  const plan = { facts: digestOf(facts) };
  await control.documents.put('facts', digestOf(facts), facts);
  await control.documents.put('plan', digestOf(plan), plan);
  await control.runs.planned(run, { digest: digestOf(plan), steps: [] });
  await control.lease.take('orders', run, async () => false);
  const { number } = await control.attempts.claim({ key: `${run}/switch/1`, run, step: 'switch', generation: 1, undo: false });
  const attempt = { number, attemptKey: `${run}/switch/1`, run, database: 'orders' };
  await control.noReturn.decide(run, attempt, side, {});
  await control.runs.close(run, { outcome: side === 'forward' ? 'succeeded' : 'rolled-back', free: true });
  return run;
}

test('a switch that went forward is known by the identity of the old side, and by its address', async () => {
  expect(await control.moves.from(old)).toBeNull();
  const run = await decided(old, new18, 'forward');
  const move = {
    run,
    target: 'orders-18',
    at: expect.stringMatching(/^\d{4}-/) as string,
    server: { host: 'new', port: 5_433, dbname: 'orders' },
  };
  const { systemIdentifier, databaseOid, ...address } = old;
  expect(await control.moves.from({ systemIdentifier, databaseOid })).toEqual(move);
  expect(await control.moves.from(address)).toEqual(move);
});

test('another database of the server, and the new side, were not moved away', async () => {
  await decided(old, new18, 'forward');
  expect(await control.moves.from({ ...old, databaseOid: 16_401 })).toBeNull();
  expect(await control.moves.from({ systemIdentifier: '7002', databaseOid: 16_400 })).toBeNull();
  expect(await control.moves.from({ host: 'old', port: 5_433, dbname: 'orders' })).toBeNull();
  expect(await control.moves.from(new18)).toBeNull();
});

test('a switch that went back moved nothing, and a database that came back is where it was', async () => {
  await decided(old, new18, 'back');
  expect(await control.moves.from(old)).toBeNull();
  await decided(old, new18, 'forward');
  const back = await decided(new18, old, 'forward');
  expect(await control.moves.from(old)).toBeNull();
  expect((await control.moves.from(new18))?.run).toBe(back);
});
