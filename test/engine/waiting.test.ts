import { expect, test } from 'vitest';
import { newRequest } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { enginePlace, type EngineTest } from './place.ts';
import { resetBefore } from './reset-before.ts';

const place = enginePlace();
const hourMs = 3_600_000;

/** A run that has the lease and is asked about its last change. */
async function holding(engine: EngineTest): Promise<string> {
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  return run;
}

const waiting = async (engine: EngineTest, run: string, at: number): Promise<unknown> =>
  await eventually(async () => {
    const { state, waits } = await engine.detail(run);
    return state === 'waiting' && waits?.place === at ? true : undefined;
  });

test('runs that wait have the lease one after the other, in the order in which they were asked for', async () => {
  const engine = await place.begin({ auto: true });
  engine.world.wordIsThere = false;
  const first = await engine.request();
  await eventually(async () => ((await engine.control.lease.find('orders'))?.holder === first ? true : undefined));
  const second = await engine.request(undefined, { waitMs: hourMs });
  const third = await engine.request(undefined, { waitMs: hourMs });
  await waiting(engine, second, 1);
  await waiting(engine, third, 2);
  expect(await engine.detail(third)).toMatchObject({ plan: null, steps: [], waits: { holder: first, state: 'held' } });
  engine.world.wordIsThere = true;
  for (const run of [first, second, third]) expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  const taken = (await engine.control.events.list({ kind: 'lease.taken', limit: 100 })).map((event) => event.run);
  expect(taken).toEqual([first, second, third]);
  expect((await engine.detail(third)).waits).toBeNull();
});

test('a run that waits holds the lease before it looks at the database', async () => {
  const engine = await place.begin();
  const first = await holding(engine);
  const second = await engine.request(undefined, { waitMs: hourMs });
  await waiting(engine, second, 1);
  await engine.agree(first, 'agree-last');
  await engine.asked(second, 'agree-first');
  expect(await engine.control.lease.find('orders')).toMatchObject({ holder: second, state: 'held' });
  const events = (await engine.control.events.list({ run: second, limit: 100 })).map((event) => event.kind);
  expect(events.indexOf('lease.taken')).toBeLessThan(events.indexOf('run.planned'));
});

test('nobody passes a line: whoever does not wait is refused while somebody does', async () => {
  const engine = await place.begin({ workers: 0 });
  const first = await engine.request(undefined, { waitMs: hourMs });
  const second = await engine.request();
  await engine.startWorker();
  await expect(engine.result(second)).rejects.toMatchObject({ cause: { type: 'lease-held' } });
  expect((await engine.detail(second)).because).toContain(first);
  await engine.asked(first, 'agree-first');
});

test('who was asked for first is first, also while people are still asked about it', async () => {
  const engine = await place.begin();
  const first = await engine.request();
  await engine.asked(first, 'agree-first');
  const second = await engine.request(undefined, { waitMs: hourMs });
  await waiting(engine, second, 2);
  expect((await engine.detail(second)).waits).toMatchObject({
    holder: null,
    state: 'free',
    first: { run: first, state: 'waiting', asks: 'Agree to begin' },
  });
  const third = await engine.request();
  await expect(engine.result(third)).rejects.toMatchObject({ cause: { type: 'lease-held' } });
  await engine.agree(first, 'agree-first');
  await waiting(engine, second, 1);
  expect((await engine.detail(second)).waits).toMatchObject({ holder: first, state: 'held', first: null });
  await engine.agree(first, 'agree-last');
  expect(await engine.result(first)).toEqual({ outcome: 'succeeded' });
  await engine.asked(second, 'agree-first');
  expect(await engine.control.lease.find('orders')).toMatchObject({ holder: second, state: 'held' });
});

test('a run is not refused for one that was asked for later, though that stands in line before it is admitted', async () => {
  const engine = await place.begin({ workers: 0 });
  const first = await engine.request();
  const second = await engine.request(undefined, { waitMs: hourMs });
  await engine.startWorker();
  await engine.asked(first, 'agree-first');
  await waiting(engine, second, 2);
  await engine.decide(first, 'linus', 'reject', 'not now');
  expect(await engine.result(first)).toMatchObject({ outcome: 'refused' });
  await engine.asked(second, 'agree-first');
});

test('a run is refused for one that stands in the line of another database that it names', async () => {
  const engine = await place.begin();
  const there = (await engine.control.requests.create(newRequest({ database: 'ledger', waitMs: hourMs }))).request.run;
  const run = await engine.request({ word: 'hello', beside: 'ledger' }, { others: ['ledger'] });
  await expect(engine.result(run)).rejects.toMatchObject({ cause: { type: 'lease-held' } });
  expect((await engine.detail(run)).because).toBe(`the turn of ${there}, which waits for the lease of ledger, comes before`);
});

test('a run that has the lease goes on with it after a reset, whoever stands in line', async () => {
  const engine = await place.begin();
  const first = await holding(engine);
  const second = await engine.request(undefined, { waitMs: hourMs });
  await waiting(engine, second, 1);
  await resetBefore(engine, first, 'engine.admit');
  for (const person of ['grace', 'linus']) {
    await eventually(async () => ((await engine.decide(first, person, 'approve'))?.counts === true ? true : undefined));
  }
  expect(await engine.result(first)).toEqual({ outcome: 'succeeded' });
  await engine.asked(second, 'agree-first');
});

test('a run that was terminated while people were asked about it holds up nobody', async () => {
  const engine = await place.begin();
  const first = await engine.request();
  await engine.asked(first, 'agree-first');
  const second = await engine.request(undefined, { waitMs: hourMs });
  await waiting(engine, second, 2);
  await engine.control.requests.started((await requestOf(engine, first)) ?? '');
  await engine.client.workflow.getHandle(first).terminate('gone');
  await engine.asked(second, 'agree-first');
});

test('a cancel while it waits ends the run at once, and its place goes to the next', async () => {
  const engine = await place.begin();
  await holding(engine);
  const second = await engine.request(undefined, { waitMs: hourMs });
  const third = await engine.request(undefined, { waitMs: hourMs });
  await waiting(engine, third, 2);
  await engine.decide(second, 'ada', 'cancel', 'not today');
  expect(await engine.result(second)).toEqual({ outcome: 'refused', because: 'cancelled by ada: not today' });
  expect((await engine.detail(third)).waits?.place).toBe(1);
});

test('when its time is over it is refused, and told who had the lease', async () => {
  const engine = await place.begin();
  const first = await holding(engine);
  const second = await engine.request(undefined, { waitMs: 500 });
  expect(await engine.result(second)).toMatchObject({ outcome: 'refused', because: expect.stringContaining(`${first} holds it since`) });
  expect((await engine.detail(second)).failure).toMatchObject({ code: 'lease-held', facts: { holder: first, since: expect.any(String) } });
  expect(engine.world.effects).toEqual(['+first', '+second']);
});

test('when its time is over while people are asked about an earlier run it is told so', async () => {
  const engine = await place.begin();
  const first = await engine.request();
  await engine.asked(first, 'agree-first');
  const second = await engine.request(undefined, { waitMs: 500 });
  const because = expect.stringContaining(`it is free, and the turn of ${first} comes before`);
  expect(await engine.result(second)).toMatchObject({ outcome: 'refused', because });
  await engine.agree(first, 'agree-first');
  await engine.asked(first, 'agree-last');
});

test('a run that was terminated while it waited holds up nobody', async () => {
  const engine = await place.begin();
  const first = await holding(engine);
  const second = await engine.request(undefined, { waitMs: hourMs });
  const third = await engine.request(undefined, { waitMs: hourMs });
  await waiting(engine, third, 2);
  await engine.control.requests.started((await requestOf(engine, second)) ?? '');
  await engine.client.workflow.getHandle(second).terminate('gone');
  await engine.agree(first, 'agree-last');
  await engine.asked(third, 'agree-first');
  expect((await engine.detail(second)).state).toBe('waiting');
});

test('a lease that was left behind is waited for until a person has freed it', async () => {
  const engine = await place.begin();
  const first = await holding(engine);
  await engine.client.workflow.getHandle(first).terminate('gone');
  const second = await engine.request(undefined, { waitMs: hourMs });
  await eventually(async () => ((await engine.detail(second)).waits?.state === 'orphaned' ? true : undefined));
  const by = { kind: 'person', name: 'grace', channel: 'cli' } as const;
  await engine.control.lease.release('orders', by, 'dropped by hand', async () => await Promise.resolve(false));
  await engine.asked(second, 'agree-first');
  expect(await engine.control.lease.find('orders')).toMatchObject({ holder: second, state: 'held' });
});

async function requestOf(engine: EngineTest, run: string): Promise<string | undefined> {
  return (await engine.control.requests.unstarted(0)).find((one) => one.run === run)?.id;
}
