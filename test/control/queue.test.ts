import { beforeEach, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { aRun, controlPlace, newRequest } from './support.ts';

const place = controlPlace();
let control: Control;
beforeEach(async () => {
  ({ control } = await place.emptied(20));
});

const closed = async (): Promise<boolean> => false;
const hourMs = 3_600_000;
const inLine = async (): Promise<string[]> => (await control.lease.line('orders')).map((one) => one.run);

it('a request that is to wait has its place with its row, and its run shows whom it waits for', async () => {
  const holder = await aRun(control);
  await control.lease.take('orders', holder, closed);
  const [one, two] = [await aRun(control, { waitMs: hourMs }), await aRun(control, { waitMs: hourMs })];
  await aRun(control, { waitMs: hourMs, database: 'ledger' });
  expect(await inLine()).toEqual([one, two]);
  const { waits } = (await control.runs.find(two)) ?? {};
  expect(waits).toEqual({ place: 2, holder, state: 'held', since: expect.any(String), deadline: expect.any(String) });
  expect(Date.parse(waits?.deadline ?? '') - Date.now()).toBeGreaterThan(hourMs - 60_000);
  expect((await control.runs.detail(two))?.waits).toEqual(waits);
  expect((await control.runs.find(holder))?.waits).toBeNull();
  expect((await control.runs.list({ limit: 10, database: 'ledger' })).map((run) => run.waits)).toMatchObject([
    { place: 1, holder: null, state: 'free', since: null },
  ]);
});

it('twenty that come at the same moment stand in one order, that of the record', async () => {
  await Promise.all(Array.from({ length: 20 }, () => aRun(control, { waitMs: hourMs })));
  const recorded = (await control.events.list({ limit: 100, kind: 'run.requested' })).map((event) => event.run);
  expect(await inLine()).toEqual(recorded);
  const runs = await control.runs.list({ limit: 50 });
  expect(new Set(runs.map((run) => run.waits?.place)).size).toBe(20);
});

it('asked twice with one key it has one place', async () => {
  const request = newRequest({ waitMs: hourMs });
  await control.requests.create(request);
  await control.requests.create(request);
  expect(await inLine()).toEqual([request.run]);
});

it('whoever closes or has the lease stands in no line any more, also when it has given the lease back', async () => {
  const [one, two, three] = [
    await aRun(control, { waitMs: hourMs }),
    await aRun(control, { waitMs: hourMs }),
    await aRun(control, { waitMs: hourMs }),
  ];
  await control.runs.close(two, { outcome: 'refused', free: true });
  await control.lease.take('orders', one, closed);
  expect(await inLine()).toEqual([three]);
  expect((await control.runs.find(three))?.waits).toMatchObject({ place: 1, holder: one });
  await control.runs.close(one, { outcome: 'succeeded', free: true });
  expect((await control.runs.find(three))?.waits).toMatchObject({ place: 1, holder: one, state: 'free' });
});

it('whose time is over is in nobody’s way', async () => {
  const late = await aRun(control, { waitMs: 1 });
  const next = await aRun(control, { waitMs: hourMs });
  expect(await control.lease.line('orders')).toMatchObject([
    { run: late, late: true },
    { run: next, late: false },
  ]);
  expect((await control.runs.find(next))?.waits?.place).toBe(1);
});
