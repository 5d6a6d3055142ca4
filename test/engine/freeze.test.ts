import { expect, test } from 'vitest';
import type { Actor, FreezeRow } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import { eventually } from '../support/eventually.ts';
import { once } from './hooked-control.ts';
import { enginePlace, type EngineTest } from './place.ts';

const place = enginePlace();
const grace: Actor = { kind: 'person', name: 'grace', channel: 'cli' };

const freeze = async ({ control }: EngineTest, until: string | null = null): Promise<FreezeRow> =>
  await control.freezes.on({ database: 'orders', reason: "the month's closing", until, by: grace });

const thaw = async ({ control }: EngineTest, { id }: FreezeRow): Promise<FreezeRow> => await control.freezes.off(id, grace, 'it is closed');

/** Until the step waits for the end of the freeze. */
const standsAt = async ({ detail }: EngineTest, run: string, step: string): Promise<void> => {
  await eventually(async () => (await detail(run)).steps.find((one) => one.id === step && one.state === 'waiting'));
};

/** A run that was frozen before its first change. */
async function standing(engine: EngineTest): Promise<{ run: string; on: Awaited<ReturnType<typeof freeze>> }> {
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  const on = await freeze(engine);
  await engine.agree(run, 'agree-first');
  await standsAt(engine, run, 'first');
  return { run, on };
}

test('while it is frozen a new run is refused: who, since when, until when, why', async () => {
  const engine = await place.begin();
  const on = await freeze(engine, new Date(Date.now() + 3_600_000).toISOString());
  const run = await engine.request();
  await expect(engine.result(run)).rejects.toMatchObject({ cause: { type: 'frozen' } });
  const { outcome, because, failure } = await engine.detail(run);
  expect(outcome).toBe('refused');
  expect(because).toMatch(/^orders is frozen by grace since \S+Z, until \S+Z: the month's closing$/);
  expect(failure).toMatchObject({ code: 'frozen', facts: { freeze: on.id } });
});

test('a run that is under way may look and ask, stands still before its next change, and goes on when the freeze is lifted', async () => {
  const engine = await place.begin();
  const { run, on } = await standing(engine);
  const { state, frozen, steps } = await engine.detail(run);
  expect({ state, frozen: frozen?.id }).toEqual({ state: 'waiting', frozen: on.id });
  expect(steps.find((one) => one.id === 'first')?.because).toBe(on.text);
  expect(engine.world.effects).toEqual([]);
  expect(await engine.events(run, 'attempt.intended')).toEqual([]);
  await thaw(engine, on);
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
});

test('a freeze that begins while traffic is held up lets it flow, and the run stands still before it is held up again', async () => {
  const engine = await place.begin();
  let on: FreezeRow | undefined;
  engine.world.faults.set('first made', [
    async () => {
      on = await freeze(engine);
    },
  ]);
  const run = await engine.request({ word: 'held up' });
  await engine.agree(run, 'agree-first');
  await standsAt(engine, run, 'first');
  expect(engine.world.effects).toEqual(['+first', '-first']);
  if (on) await thaw(engine, on);
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '-first', '+first', '+second', '+last', '+tidy']);
});

test('a freeze ends by itself, and one that is of another database stops nobody', async () => {
  const engine = await place.begin();
  await engine.control.freezes.on({ database: 'invoices', reason: 'another', until: null, by: grace });
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  await freeze(engine, new Date(Date.now() + 2_000).toISOString());
  await engine.agree(run, 'agree-first');
  await standsAt(engine, run, 'first');
  await engine.asked(run, 'agree-last');
  expect(engine.world.effects).toEqual(['+first', '+second']);
});

test('a freeze of another database that the run has leased stops it just the same', async () => {
  const engine = await place.begin();
  const run = await engine.request({ word: 'hello', beside: 'ledger' });
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  const on = await engine.control.freezes.on({ database: 'ledger', reason: 'its closing', until: null, by: grace });
  await engine.agree(run, 'agree-last');
  await standsAt(engine, run, 'last');
  expect((await engine.detail(run)).steps.find((one) => one.id === 'last')?.because).toContain('ledger is frozen by grace');
  await thaw(engine, on);
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});

test('cancelled while it stands still before its first change: refused, nothing was made, the lease is free', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  await freeze(engine);
  await engine.agree(run, 'agree-first');
  await standsAt(engine, run, 'first');
  await engine.decide(run, 'grace', 'cancel', 'not this month');
  expect(await engine.result(run)).toMatchObject({ outcome: 'refused', because: 'cancelled by grace: not this month' });
  expect(engine.world.effects).toEqual([]);
  expect((await engine.control.lease.find('orders'))?.state).toBe('free');
});

test('the way back is never frozen', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  await freeze(engine);
  await engine.decide(run, 'linus', 'reject', 'not now');
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
});

test('a step that has begun ends; the next one stands still; past the point of no return nothing does', async () => {
  const engine = await place.begin();
  // In the middle: the effect is there, and its worker will never know.
  engine.world.faults.set('second made', [
    async () => {
      await freeze(engine);
      throw new Failure('unreachable', 'the connection was lost');
    },
  ]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.agree(run, 'agree-last');
  await standsAt(engine, run, 'last');
  expect(engine.world.effects).toEqual(['+first', '+second']);
  const [on] = await engine.control.freezes.list({ past: false });
  // Frozen again at the moment in which the step without return is done.
  engine.hooks.before.set('attempts.settle', async () => {
    if (engine.world.things.has('last')) await freeze(engine);
  });
  if (on) await thaw(engine, on);
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
  expect(await engine.control.freezes.list({ past: false })).toHaveLength(1);
});

test.each(['retry', 'start-again'] as const)('a parked step: %s is a change, and waits for the end of the freeze', async (choice) => {
  const engine = await place.begin();
  engine.world.fail('second', new Failure('server-error', 'once'));
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'second');
  const on = await freeze(engine);
  await engine.decide(run, 'grace', choice);
  await standsAt(engine, run, 'second');
  expect(engine.world.effects).toEqual(['+first']);
  await thaw(engine, on);
  await engine.asked(run, 'agree-last');
});

test.each([
  ['uncertain', true],
  ['switch-abandoned', false],
] as const)('the step without return failed with %s: whether a retry passes the freeze is %s', async (code, passes) => {
  const engine = await place.begin();
  engine.world.faults.set('last made', [() => Promise.reject(new Failure(code, 'in the middle'))]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.agree(run, 'agree-last');
  await engine.asked(run, 'last');
  await freeze(engine);
  await engine.decide(run, 'grace', 'retry');
  if (passes) expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  else await standsAt(engine, run, 'last');
});

test('a step that touches only what the run has made passes a freeze, its retry too; the next one stands still', async () => {
  const engine = await place.begin({ onOwnThings: 'second' });
  engine.world.fail('second', new Failure('server-error', 'once'));
  engine.world.faults.set('first made', [async () => void (await freeze(engine))]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'second');
  await engine.decide(run, 'grace', 'retry');
  await engine.agree(run, 'agree-last');
  await standsAt(engine, run, 'last');
  expect(engine.world.effects).toEqual(['+first', '+second']);
});

test('a freeze that comes between the agreement and the change is seen: no first intent comes after it in the record', async () => {
  const engine = await place.begin();
  engine.hooks.before.set(
    'attempts.intend',
    once(async () => await freeze(engine)),
  );
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await standsAt(engine, run, 'first');
  const kinds = (await engine.control.events.list({ limit: 1_000 })).map((one) => one.kind);
  expect(kinds).toContain('freeze.on');
  expect(kinds).not.toContain('attempt.intended');
});

test('a worker that dies while its run stands still: another one goes on', async () => {
  const engine = await place.begin();
  const { run, on } = await standing(engine);
  await engine.stopWorkers();
  await thaw(engine, on);
  await engine.startWorker();
  await engine.asked(run, 'agree-last');
});
