import { beforeEach, expect, test } from 'vitest';
import { awaitLease } from '../../../activities/engine/await-lease.ts';
import type { Control, NewRequest, Request } from '../../../control/contract.ts';
import { runNameOf } from '../../../domain/run.ts';
import { catalog } from '../../../workflows/catalog.ts';
import { controlPlace, failureOf, newRequest } from '../../control/support.ts';
import { createJournal } from '../../support/attempt.ts';

const place = controlPlace();
let control: Control;
let one: Request;
let two: Request;
beforeEach(async () => {
  ({ control } = await place.emptied());
  [one, two] = [await asked(), await asked()];
});

/** To move orders to orders-18, as soon as it can; with `changes` another one. */
const asked = async (changes: Partial<NewRequest> = {}): Promise<Request> =>
  (await control.requests.create(newRequest({ waitMs: 3_600_000, others: ['orders-18'], ...changes }))).request;

const aboutTarget = { database: 'orders-18', input: { target: 'orders-20' }, others: ['orders-20'] };
const free = async (run: Request): Promise<void> => await control.runs.close(run.run, { outcome: 'succeeded', free: true });
const open = async (): Promise<boolean> => await Promise.resolve(true);

/** One look of the run; all workflows that Temporal knows are open, but for those that have `ended`. */
const look = async ({ run }: Request, ended: readonly Request[] = []): Promise<unknown> => {
  const holderOpen = async (other: string): Promise<boolean> => await Promise.resolve(!ended.some((request) => request.run === other));
  const { database } = runNameOf(run);
  return await awaitLease({ control, catalog, holderOpen })({ database }, createJournal(run).attempt('engine'));
};

test('a free lease is for the first of the line, whoever looks first', async () => {
  const failure = await failureOf('not-yet', look(two));
  expect(failure.message).toContain(one.run);
  expect(failure.facts).toEqual({ retryAfterMs: 4_000 });
  expect(await look(one)).toEqual({ epoch: 1 });
  expect((await failureOf('not-yet', look(two))).facts).toEqual({ retryAfterMs: 2_000 });
});

test('a run whose workflow has ended is passed over; one that is about to be started keeps its place', async () => {
  await failureOf('not-yet', look(two, [one]));
  await control.requests.started(one.id);
  expect(await look(two, [one])).toEqual({ epoch: 1 });
});

test('the run that has it, had it, or was reset to before it got it, has it', async () => {
  await look(one);
  expect(await look(one)).toEqual({ epoch: 1 });
  await control.runs.close(one.run, { outcome: 'succeeded', free: true });
  await failureOf('conflict', look(one));
  expect(await look(two)).toEqual({ epoch: 2 });
});

test('a run that was asked for earlier and does not wait comes first, until it is over', async () => {
  await Promise.all([free(one), free(two)]);
  const ordinary = (await control.requests.create(newRequest())).request;
  const waiting = await asked();
  const failure = await failureOf('not-yet', look(waiting));
  expect(failure.message).toContain(`the turn of ${ordinary.run}, which was asked for earlier`);
  await control.lease.take('orders', ordinary.run, open);
  expect((await failureOf('not-yet', look(waiting))).message).toContain('is held by');
  await free(ordinary);
  expect(await look(waiting)).toEqual({ epoch: 2 });
});

test('a run that was asked for later and does not wait is in nobody’s way', async () => {
  await Promise.all([free(one), free(two)]);
  const waiting = await asked();
  await control.requests.create(newRequest());
  expect(await look(waiting)).toEqual({ epoch: 1 });
});

test('the line of the target counts as well: nobody holds one of two leases while another run comes first at the other', async () => {
  await Promise.all([free(one), free(two)]);
  const there = await asked(aboutTarget);
  const move = await asked();
  const behind = await asked(aboutTarget);
  expect((await failureOf('not-yet', look(move))).message).toContain(there.run);
  expect(await control.lease.find('orders')).toBeNull();
  expect((await failureOf('not-yet', look(behind))).message).toContain(there.run);
  expect(await look(there)).toEqual({ epoch: 1 });
  expect((await failureOf('not-yet', look(move))).message).toContain('the lease of orders-18 is held by');
  await free(there);
  expect((await failureOf('not-yet', look(behind))).message).toContain(move.run);
  expect(await look(move)).toEqual({ epoch: 1 });
  expect(await control.lease.find('orders-18')).toMatchObject({ holder: move.run, state: 'held' });
});

test('a run that got only one of its leases keeps its place for the other, and no run waits for one that waits for it', async () => {
  await Promise.all([free(one), free(two)]);
  const [move, back] = [await asked(), await asked({ database: 'orders-18', input: { target: 'orders' }, others: ['orders'] })];
  await control.lease.take('orders', move.run, open);
  const faster = await asked({ database: 'orders-18', input: { target: 'orders-20' }, others: ['orders-20'] });
  await control.lease.take('orders-18', faster.run, open);
  expect((await failureOf('not-yet', look(move))).message).toContain(faster.run);
  expect((await failureOf('not-yet', look(back))).message).toContain(move.run);
  await free(faster);
  expect((await failureOf('not-yet', look(back))).message).toContain(move.run);
  expect(await look(move)).toEqual({ epoch: 1 });
  expect((await control.runs.find(move.run))?.waits).toBeNull();
});
