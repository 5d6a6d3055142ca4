import { expect, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { databasesOf, whyNotSafe } from '../../domain/why-not-safe.ts';
import { temporalRuns } from '../../temporal/runs.ts';
import { failureOf } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';
import { pitrRestore } from '../../workflows/pitr-restore/plan.ts';
import { enginePlace, type EngineTest } from './place.ts';

const place = enginePlace();
const grace = { kind: 'person', name: 'grace', channel: 'cli' } as const;
const catalog = { rehearsal };

/** As it is after somebody has terminated a run in its middle, and the API has noticed. */
async function terminated(engine: EngineTest): Promise<string> {
  const run = await engine.request();
  await eventually(async () => ((await engine.events(run, 'attempt.settled')).length === 2 ? true : undefined));
  await engine.client.workflow.getHandle(run).terminate('gone');
  await engine.control.runs.close(run, {
    outcome: 'needs-attention',
    because: 'the workflow was terminated',
    left: ['second'],
    free: false,
  });
  return run;
}

async function clearUp(engine: EngineTest, run: string): Promise<Readonly<Record<string, unknown>>> {
  const asked = await engine.control.events.append({ run, kind: 'janitor.asked', actor: grace, data: { reason: 'OPS-7' } });
  await temporalRuns(engine.client, { taskQueue: engine.taskQueue }).clearUp(run, { asked });
  const came = await eventually(async () => (await engine.events(run, 'run.cleared')).find((one) => one['asked'] === asked));
  await engine.client.workflow
    .getHandle(run)
    .result()
    .catch(() => undefined);
  return came;
}

const begin = async (): Promise<EngineTest> => {
  const engine = await place.begin({ auto: true });
  engine.world.wordIsThere = false;
  return engine;
};

test('what a terminated run left is taken back by its own undos, the last one first; its lease is free then', async () => {
  const engine = await begin();
  const run = await terminated(engine);
  expect(await engine.control.leftovers.list()).toMatchObject([
    { run, outcome: 'needs-attention', lease: 'orphaned', leases: ['orders'], intents: [{ step: 'first' }, { step: 'second' }] },
  ]);
  expect(await clearUp(engine, run)).toMatchObject({ left: [] });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
  expect(await engine.control.lease.find('orders')).toMatchObject({ holder: run, state: 'free' });
  expect(await engine.control.leftovers.list()).toEqual([]);
  expect(await engine.detail(run)).toMatchObject({ state: 'closed', outcome: 'needs-attention', left: [] });
  const released = (await engine.control.events.list({ run, kind: 'lease.released', limit: 10 })).map(({ actor, data }) => ({
    actor,
    data,
  }));
  expect(released).toEqual([{ actor: grace, data: { database: 'orders', reason: 'OPS-7', left: [] } }]);
  expect((await engine.control.events.verify()).bad).toBeNull();
});

test('an undo that fails holds up no other; the lease stays orphaned, and asked once more it takes back the rest', async () => {
  const engine = await begin();
  const run = await terminated(engine);
  engine.world.fail('undo second', new Failure('foreign-object', 'somebody hangs on it'));
  expect(await clearUp(engine, run)).toMatchObject({ left: ['Make the second: somebody hangs on it'] });
  expect(engine.world.effects).toEqual(['+first', '+second', '-first']);
  expect(await engine.control.lease.find('orders')).toMatchObject({ holder: run, state: 'orphaned' });
  expect(await engine.control.leftovers.find(run)).toMatchObject({ intents: [{ step: 'second' }] });
  expect(await clearUp(engine, run)).toMatchObject({ left: [] });
  expect(engine.world.effects).toEqual(['+first', '+second', '-first', '-second']);
});

test('while it is cleared up nobody else can have the lease, nor clear up as well', async () => {
  const engine = await begin();
  const run = await terminated(engine);
  const held = Promise.withResolvers<void>();
  engine.world.faults.set('undo second', [async () => await held.promise]);
  const clearing = clearUp(engine, run);
  await eventually(async () => ((await engine.control.lease.find('orders'))?.state === 'held' ? true : undefined));
  await failureOf('conflict', clearUp(engine, run));
  const other = await engine.request();
  await expect(engine.result(other)).rejects.toMatchObject({ cause: { type: 'lease-held' } });
  held.resolve();
  expect(await clearing).toMatchObject({ left: [] });
});

test('a workflow that nobody has asked for clears up nothing', async () => {
  const engine = await begin();
  const run = await terminated(engine);
  await temporalRuns(engine.client, { taskQueue: engine.taskQueue }).clearUp(run, { asked: 1 });
  await expect(engine.client.workflow.getHandle(run).result()).rejects.toMatchObject({ cause: { type: 'request-unknown' } });
  expect(engine.world.effects).toEqual(['+first', '+second']);
  expect(await engine.control.lease.find('orders')).toMatchObject({ state: 'orphaned' });
});

test('a run that went past its point of no return is refused by the worker, too', async () => {
  const engine = await begin();
  const run = await terminated(engine);
  await engine.control.lease.take('orders', run, async () => await Promise.resolve(false));
  await engine.control.noReturn.decide(run, { number: 1, attemptKey: `${run}/first/1`, run, database: 'orders' }, 'forward', {});
  expect(await clearUp(engine, run)).toMatchObject({ left: null, because: expect.stringContaining('the side that serves now') });
  expect(engine.world.effects).toEqual(['+first', '+second']);
  expect(await engine.control.lease.find('orders')).toMatchObject({ holder: run, state: 'orphaned' });
  expect(await engine.detail(run)).toMatchObject({ left: ['second'] });
});

test('past the point of no return, or when others have built on it, it is refused with the reason', async () => {
  const engine = await begin();
  const run = await terminated(engine);
  const leftover = await engine.control.leftovers.find(run);
  if (!leftover) throw new Error('it left something');
  const why = async (changes: object = {}): Promise<string | undefined> =>
    whyNotSafe(catalog, { ...leftover, ...changes }, await engine.control.leftovers.changedSince(leftover, databasesOf(catalog, leftover)));
  expect(await why()).toBeUndefined();
  expect(await why({ noReturn: true })).toContain('the side that serves now');
  expect(await why({ intents: [...leftover.intents, { ...leftover.intents[0], step: 'last' }] })).toContain('the side that serves now');
  expect(await why({ intents: [{ ...leftover.intents[0], step: 'tidy' }] })).toContain('"tidy" has no undo');
  expect(await why({ leases: ['orders-18'] })).toContain('somebody has released its lease of orders');
  await engine.control.lease.release('orders', grace, 'dropped by hand', async () => await Promise.resolve(false));
  expect(await clearUp(engine, run)).toMatchObject({ left: null, because: expect.stringContaining('nothing behind under its lease') });
  engine.world.things.clear();
  const other = await terminated(engine);
  expect(await why()).toBe(`the run ${other} has begun to change orders since`);
  expect(engine.world.effects).not.toContain('-first');
});

test('what goes along with another step is taken back by that one’s undo: every change of a restore has one or the other', () => {
  const { steps, takesBack: { undos = {}, goesAlong = [] } = {} } = pitrRestore;
  const run = 'pitr-restore/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const left = { run, database: 'orders', input: {}, plan: 'digest', noReturn: false, leases: ['orders'] };
  const changing = Object.keys(undos).concat(goesAlong);
  const why = (...ids: string[]): string | undefined =>
    whyNotSafe({ 'pitr-restore': pitrRestore }, { ...left, intents: ids.map((step) => ({ step })) }, []);
  expect(why(...changing)).toBeUndefined();
  expect(why('restore-moment', 'remove-aside')).toContain('it began the step without return');
  // From these on there is no way back.
  const others = ['let-in', 'remove-aside'];
  expect(
    Object.entries(steps)
      .flatMap(([id, step]) => (step.kind === 'change' && !others.includes(id) ? [id] : []))
      .toSorted(),
  ).toEqual(changing.toSorted());
});
