import { describe, expect, test, vi } from 'vitest';
import type { ApplicationFailure, Context } from '@temporalio/activity';
import { pino } from 'pino';
import type { Attempt } from '../../activities/attempt.ts';
import { Failure, notYet } from '../../domain/failure.ts';
import { asTemporal } from '../../worker/as-temporal.ts';
import { startHeartbeat } from '../../worker/heartbeat.ts';
import { liveWithStrays } from '../../worker/stray-rejections.ts';
import { newGate } from '../engine/hooked-control.ts';
import { enginePlace, type EngineTest } from '../engine/place.ts';
import { eventually } from '../support/eventually.ts';

const place = enginePlace();

/** Nothing in this process runs for so long: as if it were stopped and woken up again. */
function freeze(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function attemptsAt(step: string, run: string, { events }: EngineTest): Promise<unknown[]> {
  return (await events(run, 'attempt.intended')).filter((one) => one['step'] === step).map((one) => one['number']);
}

async function done(run: string, engine: EngineTest): Promise<void> {
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
}

describe('a worker that stood still', () => {
  test('for longer than the heartbeat timeout, before it acts: another attempt acts', async () => {
    const engine = await place.begin();
    engine.world.faults.set('second', [async () => await Promise.resolve(freeze(4_000))]);
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await engine.asked(run, 'agree-last');
    expect(await attemptsAt('second', run, engine)).toEqual([2]);
    // The one that woke up says so, and has made nothing.
    const gaveWay = await eventually(async () => {
      const events = await engine.events(run, 'attempt.superseded');
      return events.length > 0 ? events : undefined;
    });
    expect(gaveWay).toMatchObject([
      { step: 'second', generation: 1, undo: false, number: 1, because: expect.stringContaining('stood still') },
    ]);
    expect((await engine.detail(run)).steps.find((one) => one.id === 'second')).toMatchObject({ attempt: 2, superseded: 1 });
    await done(run, engine);
  });

  test('and meets something else when it wakes up: it has given way all the same', async () => {
    const engine = await place.begin();
    const broken = async (): Promise<never> => {
      freeze(4_000);
      return await Promise.reject(new Failure('internal', 'the session is gone'));
    };
    engine.world.faults.set('second made', [broken]);
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await engine.asked(run, 'agree-last');
    const gaveWay = await eventually(async () => {
      const events = await engine.events(run, 'attempt.superseded');
      return events.length > 0 ? events : undefined;
    });
    expect(gaveWay).toMatchObject([{ step: 'second', number: 1, because: expect.stringContaining('stood still') }]);
    await done(run, engine);
  });

  test('for less: it goes on', async () => {
    const engine = await place.begin();
    engine.world.faults.set('second', [async () => await Promise.resolve(freeze(1_000))]);
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await engine.asked(run, 'agree-last');
    expect(await attemptsAt('second', run, engine)).toEqual([1]);
    expect(await engine.events(run, 'attempt.superseded')).toEqual([]);
    await done(run, engine);
  });
});

test('an attempt that is overtaken by one that woke up late looks again, and nobody is asked', async () => {
  const engine = await place.begin();
  let run = '';
  engine.world.faults.set('first', [
    async () => await engine.control.attempts.claim({ key: `${run}/first/1`, run, step: 'first', generation: 1, undo: false }),
  ]);
  run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  expect(await attemptsAt('first', run, engine)).toEqual([3]);
  expect(await engine.events(run, 'attempt.superseded')).toMatchObject([{ step: 'first', number: 1 }]);
  await done(run, engine);
});

test('an attempt at a step that is still there when the step is taken back does not act any more', async () => {
  const engine = await place.begin();
  const stale = Promise.withResolvers<unknown>();
  engine.world.faults.set('second', [
    async (attempt) => {
      // It lives on in a worker that Temporal has given up.
      const woken = newGate();
      engine.world.faults.set('undo first', [async () => await Promise.resolve(woken.open())]);
      void woken.pass().then(async () => stale.resolve(await attempt?.current().catch((error: unknown) => error)));
      throw new Failure('server-error', 'given up');
    },
  ]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'second');
  await engine.decide(run, 'grace', 'roll-back', 'no');
  expect(await stale.promise).toMatchObject({ code: 'superseded' });
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
});

test('an attempt that has given way does not tell that the step is done', async () => {
  const engine = await place.begin();
  let run = '';
  engine.world.faults.set('second made', [
    async () => {
      await engine.control.attempts.claim({ key: `${run}/second/1`, run, step: 'second', generation: 1, undo: false });
    },
  ]);
  run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  const ends = (await engine.events(run, 'step.done')).filter((one) => one['step'] === 'second');
  expect(ends).toHaveLength(1);
  expect((await engine.detail(run)).steps.find((one) => one.id === 'second')).toMatchObject({ state: 'done', attempt: 3 });
  await done(run, engine);
});

test('a rejection that nobody awaited fails its own attempt, and the worker lives', async () => {
  const engine = await place.begin();
  const others = process.rawListeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', liveWithStrays(pino({ level: 'silent' })));
  try {
    engine.world.faults.set('second', [
      async () => {
        void Promise.reject(new Error('nobody awaits me'));
        await new Promise(() => undefined);
      },
    ]);
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    expect((await engine.asked(run, 'second')).failure).toMatchObject({ code: 'internal', message: 'nobody awaits me' });
    await engine.decide(run, 'grace', 'retry');
    await done(run, engine);
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener as (reason: unknown) => void);
  }
});

test('why a step is tried again is shown to people', async () => {
  const engine = await place.begin();
  const gate = newGate();
  engine.world.faults.set('second', [
    async () => await Promise.reject(new Failure('unreachable', 'no route to orders')),
    async () => await gate.pass(),
  ]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await gate.reached;
  const second = await eventually(async () => (await engine.detail(run)).steps.find((one) => one.id === 'second' && one.progress !== null));
  expect(second.progress).toEqual({ summary: 'attempt 1 failed: no route to orders' });
  gate.open();
  await done(run, engine);
});

test('a wait that can not even look parks after a quarter of an hour, and a look in between begins that time anew', async () => {
  const engine = await place.begin();
  const now = Date.now.bind(Date);
  const shift = (minutes: number): void => void vi.spyOn(Date, 'now').mockImplementation(() => now() + minutes * 60_000);
  // The time passes when the attempt has ended: in the middle of it the process would have stood still.
  const away = async (minutesLater: number): Promise<never> => {
    setTimeout(() => shift(minutesLater), 50);
    return await Promise.reject(new Failure('unreachable', 'no route to orders'));
  };
  try {
    engine.world.faults.set('wait', [
      async () => await away(20),
      async () => await Promise.reject(notYet('not there', 100)),
      async () => await away(36),
      async () => await away(36),
    ]);
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    expect((await engine.asked(run, 'wait')).failure).toMatchObject({ code: 'unreachable' });
    expect(engine.world.faults.get('wait')).toEqual([]);
    await engine.decide(run, 'grace', 'retry');
    vi.restoreAllMocks();
    await done(run, engine);
  } finally {
    vi.restoreAllMocks();
  }
});

test('what an attempt has saved is there for the next one', async () => {
  const engine = await place.begin();
  const seen: unknown[] = [];
  const look = async (attempt?: Attempt): Promise<void> => {
    seen.push(attempt?.checkpoint);
    attempt?.save(seen.length);
    await Promise.reject(new Failure('unreachable', 'no route'));
  };
  engine.world.faults.set('second', [look, look]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await done(run, engine);
  expect(seen).toEqual([undefined, 1]);
});

test('a result that is too long for the history stands in the evidence', async () => {
  const engine = await place.begin();
  const run = await engine.request({ word: 'x'.repeat(20_000) });
  await engine.agree(run, 'agree-first');
  expect((await engine.detail(run)).evidence).toMatchObject({ look: { seen: 'x'.repeat(20_000) } });
  const { events } = await engine.client.workflow.getHandle(run).fetchHistory();
  // The admission, which has the input, is called on the spot.
  const results = events?.flatMap((event) => event.activityTaskCompletedEventAttributes?.result?.payloads ?? []) ?? [];
  expect(results.length).toBeGreaterThan(1);
  expect(Math.max(...results.map(({ data }) => data?.length ?? 0))).toBeLessThan(16_000);
});

describe('a failure on its way to Temporal', () => {
  const detailsOf = (failure: ApplicationFailure): Record<string, unknown> => (failure.details?.[0] ?? {}) as Record<string, unknown>;

  test('is small, whatever was put into it, and tells what was left out', () => {
    const tables = Array.from({ length: 5_000 }, (_, index) => `public.table_${index}`);
    const told = asTemporal(
      new Failure('objects-differ', 'x'.repeat(100_000), {
        sqlstate: '42P01',
        tables,
        text: 'y'.repeat(50_000),
        huge: Array.from({ length: 20 }, () => 'z'.repeat(500)),
      }),
    );
    expect(JSON.stringify([told.message, told.details]).length).toBeLessThan(16_000);
    expect(detailsOf(told)).toMatchObject({ sqlstate: '42P01', tables: tables.slice(0, 20), cut: ['huge'] });
  });

  test('has no secret and nothing that PostgreSQL can not store', () => {
    const told = asTemporal(
      new Failure('unreachable', 'postgres://app:hunter2@db/x \0 \ud800', { address: 'postgres://app:hunter2@db/x\0' }),
    );
    expect(JSON.stringify([told.message, told.details])).not.toMatch(/hunter2|\\u0000|\\ud800/);
  });

  test.for([
    ['unreachable', false],
    ['drift', true],
    ['superseded', false],
    ['internal', true],
  ] as const)('%s ends the step: %s', ([code, ends]) => {
    expect(asTemporal(new Failure(code, 'x'))).toMatchObject({ type: code, nonRetryable: ends });
  });

  test('a wait says when to look again, and is no failure in the metrics', () => {
    expect(asTemporal(new Failure('not-yet', 'x', { retryAfterMs: 2_000 }))).toMatchObject({
      nextRetryDelay: 2_000,
      category: 'BENIGN',
      nonRetryable: false,
    });
  });
});

test('the first heartbeat comes after a part of the timeout, not at the start', async () => {
  const beats: number[] = [];
  const start = performance.now();
  const context = {
    info: { heartbeatTimeoutMs: 1_000, heartbeatDetails: { saved: 'from before' } },
    heartbeat: () => beats.push(performance.now() - start),
  };
  // Only what a heartbeat needs of it.
  const beat = startHeartbeat(context as unknown as Context);
  expect(beat.checkpoint).toBe('from before');
  await eventually(async () => await Promise.resolve(beats.length >= 2 || undefined));
  beat.stop();
  expect(beats[0]).toBeGreaterThan(200);
  expect(beats[0]).toBeLessThan(800);
});
