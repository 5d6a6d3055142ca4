import { beforeEach, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { longQueue, makeManyRuns } from '../../bench/control/many-runs.ts';
import { aRun, controlPlace, newRequest, rowsRead } from './support.ts';

const place = controlPlace();
let control: Control;
let database: string;
beforeEach(async () => {
  ({ control, database } = await place.emptied(20));
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
  const { waits, frozen, ...record } = (await control.runs.find(two)) ?? {};
  expect(frozen).toBeNull();
  expect(await control.runs.record(two)).toEqual(record);
  expect(await control.runs.record('nonsense')).toBeNull();
  const since = expect.any(String);
  const first = { run: one, state: 'requested', asks: null };
  expect(waits).toEqual({ database: 'orders', place: 2, holder, state: 'held', since, deadline: since, first });
  expect(Date.parse(waits?.deadline ?? '') - Date.now()).toBeGreaterThan(hourMs - 60_000);
  expect((await control.runs.detail(two))?.waits).toEqual(waits);
  expect((await control.runs.find(holder))?.waits).toBeNull();
  expect((await control.runs.list({ limit: 10, database: 'ledger' })).map((run) => run.waits)).toMatchObject([
    { place: 1, holder: null, state: 'free', since: null, first: null },
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

it('a run that does not wait stands in the line as well, until it is closed, has the lease, or its plan changes nothing', async () => {
  const [asking, looking] = [await aRun(control), await aRun(control)];
  const waiting = await aRun(control, { waitMs: hourMs });
  const later = await aRun(control);
  const planned = async (run: string, kind: string): Promise<void> =>
    await control.runs.planned(run, { digest: `d-${kind}`, steps: [{ id: 'agree', kind, title: 'Agree to it', applies: true }] });
  expect((await control.lease.line('orders')).map(({ run, queued, deadline }) => [run, queued, deadline !== null])).toEqual([
    [asking, false, false],
    [looking, false, false],
    [waiting, true, true],
    [later, false, false],
  ]);
  await planned(looking, 'check');
  await planned(asking, 'change');
  expect(await inLine()).toEqual([asking, waiting, later]);
  expect((await control.runs.find(waiting))?.waits).toMatchObject({ place: 2, state: 'free', first: { run: asking, asks: null } });
  await control.questions.open({ run: asking, approval: 'agree', opening: 1, kind: 'approval', digest: 'd', choices: [], quorum: [] });
  expect((await control.runs.find(waiting))?.waits?.first).toEqual({ run: asking, state: 'requested', asks: 'Agree to it' });
  await control.lease.take('orders', asking, closed);
  expect(await inLine()).toEqual([waiting, later]);
  expect((await control.runs.find(waiting))?.waits).toMatchObject({ place: 1, holder: asking, first: null });
  expect((await control.runs.find(later))?.waits).toBeNull();
});

it('a run stands in the line of each database that it names, and shows the one that it can not have', async () => {
  const there = await aRun(control, { database: 'orders-18' });
  const move = await aRun(control, { waitMs: hourMs, others: ['orders-18'] });
  const behind = await aRun(control, { database: 'orders-18', waitMs: hourMs });
  expect((await control.lease.line('orders-18')).map((one) => one.run)).toEqual([there, move, behind]);
  const waits = async (run: string): Promise<unknown> => (await control.runs.find(run))?.waits;
  expect(await waits(move)).toMatchObject({ database: 'orders-18', place: 2, state: 'free', first: { run: there } });
  await control.lease.take('orders-18', there, closed);
  expect(await waits(move)).toMatchObject({ database: 'orders-18', place: 1, state: 'held', holder: there });
  await control.lease.take('orders', await aRun(control), closed);
  expect(await waits(move)).toMatchObject({ database: 'orders', place: 1, state: 'held' });
  expect(await waits(behind)).toMatchObject({ database: 'orders-18', place: 2, first: { run: move } });
});

it('the list of leases says whose turn it is while runs wait for a free one', async () => {
  await control.runs.close(await taken(), { outcome: 'succeeded', free: true });
  const asking = await aRun(control);
  const listed = async (): Promise<unknown> => (await control.lease.list()).map(({ waiting, why }) => ({ waiting, why }));
  expect(await listed()).toEqual([{ waiting: 0, why: null }]);
  await aRun(control, { waitMs: hourMs });
  expect(await listed()).toEqual([{ waiting: 1, why: `the turn of ${asking}, which is requested` }]);
});

async function taken(): Promise<string> {
  const run = await aRun(control);
  await control.lease.take('orders', run, closed);
  return run;
}

it('a page reads the queue once, however many of its runs wait there, and a list of leases reads it once', async () => {
  const client = await place.client(database);
  const runs = await makeManyRuns(client, { inOne: 150, others: 150, queues: 30 });
  // Each row of the page has further rows of its own, and each run of the queue is read by a few of the tables.
  const page = await rowsRead(place, database, (counted) => counted.runs.list({ limit: 200 }));
  expect(page).toBeLessThan(20 * (200 + runs.length));
  expect(await rowsRead(place, database, (counted) => counted.lease.list())).toBeLessThan(20 * runs.length);
  expect(await rowsRead(place, database, (counted) => counted.runs.open())).toBeLessThan(4 * runs.length);
  const listed = await control.runs.list({ limit: 200, database: longQueue });
  // The holder is in no queue, and the others wait in the order in which they were requested.
  expect(listed.toReversed().map(({ waits }) => waits?.place ?? null)).toEqual([null, ...Array.from({ length: 149 }, (_, at) => at + 1)]);
});

it('a run that does not queue costs no look at the queue', async () => {
  const client = await place.client(database);
  const runs = await makeManyRuns(client, { inOne: 150, others: 0, queues: 1 });
  const run = await aRun(control);
  await client.query('ANALYZE');
  // One table of this size may be read as a whole, where that is as quick as its index; the queue is several.
  expect(await rowsRead(place, database, (counted) => counted.runs.find(run))).toBeLessThan(1.5 * runs.length);
});
