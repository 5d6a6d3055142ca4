import { describe, expect, test } from 'vitest';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import { eventually } from '../support/eventually.ts';
import { once } from './hooked-control.ts';
import { enginePlace, type EngineTest } from './place.ts';

const place = enginePlace();

/** From the next call of this name on nobody answers, for so long. */
function goesAway({ hooks }: EngineTest, name: string, forMs: number, code: FailureCode = 'control-database-unavailable'): Promise<void> {
  const back = Promise.withResolvers<void>();
  hooks.before.set(
    name,
    once(async () => {
      hooks.away = code;
      setTimeout(() => {
        hooks.away = null;
        back.resolve();
      }, forMs);
      await Promise.resolve();
    }),
  );
  return back.promise;
}

async function succeeds(engine: EngineTest): Promise<void> {
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
}

// Every function that the engine's own activities call, and those around a step.
const asked = [
  ...['requests.find', 'lease.find', 'runs.planned', 'documents.put', 'questions.find', 'questions.open', 'questions.judge'],
  ...['lease.take', 'questions.close', 'attempts.claim', 'attempts.intend', 'attempts.settle', 'runs.finish'],
  ...['noReturn.read', 'runs.close'],
];

test('the control database goes away for a moment at everything that it is asked, and the run goes on', async () => {
  const engine = await place.begin();
  engine.world.fail('last', new Failure('server-error', 'once, so that the point of no return is looked up'));
  const went = new Set<string>();
  for (const name of asked) void goesAway(engine, name, 400).then(() => went.add(name));
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.agree(run, 'agree-last');
  await engine.asked(run, 'last');
  await engine.decide(run, 'grace', 'retry');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
  expect(await engine.events(run, 'step.done')).toHaveLength(8);
  expect([...went].toSorted()).toEqual(asked.toSorted());
});

describe('the control database is away for longer than a step is tried', () => {
  test.for([
    ['attempts.settle', 'query-too-slow'],
    ['documents.put', 'control-database-unavailable'],
  ] as const)('at %s (%s), and nothing fails for it', async ([name, code]) => {
    const engine = await place.begin();
    void goesAway(engine, name, 12_000, code);
    await succeeds(engine);
  });

  test('in an undo, and the undo is made', async () => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await engine.asked(run, 'agree-last');
    void goesAway(engine, 'attempts.claim', 12_000);
    await engine.decide(run, 'grace', 'reject', 'no');
    expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
    expect([...engine.world.things]).toEqual([]);
  });
});

test.for(['questions.open', 'questions.close', 'runs.close'])(
  'a control database that refuses %s is not the end: the run stands still',
  async (name) => {
    const engine = await place.begin();
    let refuses = true;
    engine.hooks.before.set(name, async () => {
      if (refuses) throw new Failure('internal', 'control database: something is wrong (SQLSTATE XX000)');
      await Promise.resolve();
    });
    setTimeout(() => (refuses = false), 1_500);
    await succeeds(engine);
  },
);

test('a worker that stops in the middle of a step hands it on, and nothing is counted as a cancel', async () => {
  const engine = await place.begin();
  const begun = Promise.withResolvers<void>();
  engine.world.faults.set('second made', [
    async (attempt) => {
      begun.resolve();
      await new Promise((_, reject) => {
        attempt?.signal.addEventListener('abort', () => reject(attempt.signal.reason as Error));
      });
    },
  ]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await begun.promise;
  await engine.stopWorkers();
  await engine.startWorker();
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
  const second = (await engine.detail(run)).steps.find((one) => one.id === 'second');
  expect(second).toMatchObject({ state: 'done', attempt: 2 });
});

test('the result of a step is lost: it is adopted, and its evidence and its end are told once', async () => {
  const engine = await place.begin();
  let lost = 0;
  engine.hooks.after.set('runs.finish', async () => {
    const made = engine.world.things.has('second');
    if (made && lost === 0) {
      lost += 1;
      await Promise.reject(new Failure('unreachable', 'the answer was lost'));
    }
  });
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
  expect((await engine.events(run, 'attempt.settled')).filter((one) => one['step'] === 'second')).toMatchObject([
    { outcome: 'made' },
    { outcome: 'adopted' },
  ]);
  expect((await engine.events(run, 'evidence.recorded')).filter((one) => 'second' in (one['evidence'] as object))).toHaveLength(1);
});

test('a policy that asks nobody: the run is shown as running, and done', async () => {
  const engine = await place.begin({ auto: true });
  engine.world.wordIsThere = false;
  const run = await engine.request();
  await eventually(async () => (await engine.detail(run)).steps.find((one) => one.id === 'wait' && one.progress !== null));
  expect((await engine.detail(run)).state).toBe('running');
  engine.world.wordIsThere = true;
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});
