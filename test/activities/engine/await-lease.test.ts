import { beforeEach, expect, test } from 'vitest';
import { awaitLease } from '../../../activities/engine/await-lease.ts';
import type { Control, Request } from '../../../control/contract.ts';
import { controlPlace, failureOf, newRequest } from '../../control/support.ts';
import { createJournal } from '../../support/attempt.ts';

const place = controlPlace();
let control: Control;
let one: Request;
let two: Request;
beforeEach(async () => {
  ({ control } = await place.emptied());
  const asked = async (): Promise<Request> => (await control.requests.create(newRequest({ waitMs: 3_600_000 }))).request;
  [one, two] = [await asked(), await asked()];
});

/** One look of the run; all workflows that Temporal knows are open, but for those that have `ended`. */
const look = async ({ run }: Request, ended: readonly Request[] = []): Promise<unknown> => {
  const holderOpen = async (other: string): Promise<boolean> => await Promise.resolve(!ended.some((request) => request.run === other));
  return await awaitLease({ control, catalog: {}, holderOpen })({ database: 'orders' }, createJournal(run).attempt('engine'));
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
