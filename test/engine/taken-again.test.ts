import { describe, expect, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import type { Plan } from '../../domain/plan.ts';
import { newGate } from './hooked-control.ts';
import { enginePlace, type EngineTest } from './place.ts';

const place = enginePlace();
const gone = new Failure('login-refused', 'nobody gets in');

/** The facts can be taken when people are asked, and not when they have agreed: neither with the answer nor by the run afterwards. */
async function goneAfter(approval: string, engine: EngineTest, ...failures: Failure[]): Promise<string> {
  const run = await engine.request();
  if (approval === 'agree-last') await engine.agree(run, 'agree-first');
  await engine.asked(run, approval);
  engine.world.fail('facts', ...(failures.length > 0 ? failures : [gone, gone]));
  await engine.agree(run, approval);
  return run;
}

describe('the facts cannot be taken again after people have agreed', () => {
  test('before any change the run is refused, with the reason', async () => {
    const engine = await place.begin();
    const run = await goneAfter('agree-first', engine);
    expect(await engine.result(run)).toMatchObject({ outcome: 'refused', because: 'nobody gets in' });
    expect(await engine.detail(run)).toMatchObject({ failure: { code: 'login-refused' }, questions: [] });
    expect((await engine.control.lease.find('orders'))?.state).toBe('free');
    expect(await engine.events(run, 'approval.closed')).toMatchObject([{ answer: 'approve' }]);
  });

  test('after a change it parks, nothing is taken back, and after a retry the approval stands', async () => {
    const engine = await place.begin();
    const run = await goneAfter('agree-last', engine);
    const { state, questions } = await engine.asked(run, 'agree-last', 2);
    expect(state).toBe('parked');
    expect(questions).toMatchObject([{ kind: 'parked', choices: ['retry', 'roll-back', 'abort'], failure: { code: 'login-refused' } }]);
    expect([...engine.world.things]).toEqual(['first', 'second']);
    await engine.decide(run, 'grace', 'retry');
    expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
    expect((await engine.detail(run)).steps.find((one) => one.id === 'agree-last')?.state).toBe('done');
  });

  test('people may still roll back', async () => {
    const engine = await place.begin();
    const run = await goneAfter('agree-last', engine);
    await engine.asked(run, 'agree-last', 2);
    await engine.decide(run, 'grace', 'roll-back', 'enough');
    expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
    expect([...engine.world.things]).toEqual([]);
    expect((await engine.detail(run)).failure).toMatchObject({ code: 'login-refused' });
  });

  test('a server that is away for a moment is no reason to ask', async () => {
    const engine = await place.begin();
    const away = new Failure('unreachable', 'no route');
    const run = await goneAfter('agree-last', engine, away, away);
    expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  });

  test('when what it finds at last is another plan, people are asked again', async () => {
    const engine = await place.begin();
    const run = await goneAfter('agree-last', engine);
    await engine.asked(run, 'agree-last', 2);
    engine.world.facts = { binding: { shape: 'square' }, observed: { size: 1 } };
    await engine.decide(run, 'grace', 'retry');
    const { questions } = await engine.asked(run, 'agree-last', 3);
    expect(questions).toMatchObject([{ kind: 'approval', failure: { facts: { changes: ['shape: round → square'] } } }]);
    await engine.agree(run, 'agree-last');
    expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  });
});

test('an approval that lapses shows what has changed, in the question, the step and the run', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  engine.world.facts = { binding: { shape: 'square' }, observed: { size: 7 } };
  await engine.agree(run, 'agree-first');
  const { questions, steps, failure } = await engine.asked(run, 'agree-first', 2);
  const lapsed = { code: 'conflict', message: 'the plan is another one than people agreed to: shape: round → square' };
  expect(questions).toMatchObject([{ kind: 'approval', failure: lapsed }]);
  expect(failure).toMatchObject(lapsed);
  expect(steps.find((one) => one.id === 'agree-first')).toMatchObject({ state: 'waiting', generation: 2, failure: lapsed });
  expect(await engine.events(run, 'approval.closed')).toMatchObject([{ answer: 'lapsed' }]);
  await engine.agree(run, 'agree-first');
  const later = await engine.asked(run, 'agree-last');
  expect(later.failure).toBeNull();
});

test('no server for the first plan: refused with the reason', async () => {
  const engine = await place.begin();
  engine.world.fail('facts', gone);
  const run = await engine.request();
  expect(await engine.result(run)).toMatchObject({ outcome: 'refused', because: 'nobody gets in' });
});

test('an attempt at the plan that takes too long writes nothing over what the next one has seen', async () => {
  const engine = await place.begin();
  const gate = newGate();
  engine.world.faults.set('facts seen', [gate.pass]);
  const run = await engine.request();
  await gate.reached;
  engine.world.facts = { binding: { shape: 'square' }, observed: { size: 1 } };
  await engine.asked(run, 'agree-first');
  gate.open();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  const { documents } = engine.control;
  const planned = (await engine.events(run, 'run.planned')).map(async ({ plan }) => {
    const { facts } = (await documents.get(String(plan))) as Plan;
    return await documents.get(facts);
  });
  expect(new Set((await Promise.all(planned)).map((facts) => JSON.stringify(facts)))).toEqual(
    new Set([JSON.stringify(engine.world.facts)]),
  );
});

test('a confirmation that takes too long closes nothing after the run has gone on without it', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  const gate = newGate();
  engine.world.faults.set('facts seen', [gate.pass]);
  const agreed = engine.agree(run, 'agree-first');
  await gate.reached;
  engine.world.facts = { binding: { shape: 'square' }, observed: { size: 1 } };
  await agreed;
  await engine.asked(run, 'agree-first', 2);
  // It goes on at once, well before the next answer is confirmed.
  gate.open();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  expect(await engine.events(run, 'approval.closed')).toMatchObject([{ answer: 'lapsed' }, { answer: 'approve' }]);
  const done = (await engine.events(run, 'step.done')).filter((one) => one['step'] === 'agree-first');
  expect(done).toMatchObject([{ generation: 2 }]);
});

test('the lease is gone in the middle: the run parks, and a retry takes it again', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  const { control } = engine;
  await control.lease.release(
    'orders',
    { kind: 'person', name: 'grace', channel: 'cli' },
    'by mistake',
    async () => await Promise.resolve(false),
  );
  await engine.agree(run, 'agree-last');
  expect(await engine.asked(run, 'last')).toMatchObject({ state: 'parked', failure: { code: 'lease-lost' } });
  await engine.decide(run, 'grace', 'retry');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect((await control.lease.find('orders'))?.state).toBe('free');
});

test('a mistake in the story after a change asks people instead of going back by itself', async () => {
  const engine = await place.begin();
  const run = await engine.request({ word: 'stumble' });
  await engine.agree(run, 'agree-first');
  const { questions } = await engine.asked(run, 'wait');
  expect(questions).toMatchObject([{ choices: ['roll-back', 'abort'], failure: { code: 'internal', message: 'the story has a mistake' } }]);
  expect([...engine.world.things]).toEqual(['first', 'second']);
  await engine.decide(run, 'grace', 'roll-back', 'back');
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
  expect([...engine.world.things]).toEqual([]);
});

test('aborted past the point of no return: what was not done is named, and the lease stays', async () => {
  const engine = await place.begin();
  engine.world.fail('tidy', new Failure('server-error', 'the world is broken'));
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.agree(run, 'agree-last');
  await engine.asked(run, 'tidy');
  await engine.decide(run, 'grace', 'abort', 'by hand');
  expect(await engine.result(run)).toMatchObject({ outcome: 'aborted', left: ['not done: Tidy up'] });
  expect((await engine.control.lease.find('orders'))?.state).toBe('orphaned');
});

test('an undo that fails when a step is started again asks; retry goes on with what is there, start again tries the undo again', async () => {
  const engine = await place.begin();
  engine.world.fail('second made', new Failure('server-error', 'half made'));
  engine.world.fail('undo second', new Failure('server-error', 'not now'), new Failure('server-error', 'not now'));
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'second', 1);
  await engine.decide(run, 'grace', 'start-again');
  const { questions } = await engine.asked(run, 'second', 2);
  expect(questions).toMatchObject([{ failure: { message: 'it could not be taken back: not now' } }]);
  await engine.decide(run, 'grace', 'start-again');
  await engine.asked(run, 'second', 3);
  await engine.decide(run, 'grace', 'retry');
  await engine.asked(run, 'agree-last');
  expect(engine.world.effects).toEqual(['+first', '+second']);
  await engine.decide(run, 'grace', 'reject', 'no');
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
  expect([...engine.world.things]).toEqual([]);
});

test.for(['skip', 'roll-back'] as const)(
  'a step that failed half-way and was answered with %s is taken back with the others',
  async (choice) => {
    const engine = await place.begin();
    engine.world.fail('second made', new Failure('server-error', 'half made'));
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await engine.asked(run, 'second');
    await engine.decide(run, 'grace', choice, 'so be it');
    if (choice === 'skip') {
      await engine.asked(run, 'agree-last');
      await engine.decide(run, 'grace', 'reject', 'no');
    }
    expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
    expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
  },
);

test('a step that a person has marked as done without it leaves nothing to undo', async () => {
  const engine = await place.begin();
  engine.world.fail('second', new Failure('uncertain', 'nobody knows'));
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'second');
  await engine.decide(run, 'grace', 'mark-done', 'I looked');
  await engine.asked(run, 'agree-last');
  await engine.decide(run, 'grace', 'reject', 'no');
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
  expect(engine.world.effects).toEqual(['+first', '-first']);
});
