import { expect, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { newGate } from './hooked-control.ts';
import { enginePlace, type EngineTest } from './place.ts';

const place = enginePlace();
const broken = new Failure('server-error', 'the world is broken');

async function parkedAt(step: string, engine: EngineTest, ...failures: Failure[]): Promise<string> {
  engine.world.fail(step, ...(failures.length > 0 ? failures : [broken]));
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  const detail = await engine.asked(run, step);
  expect(detail).toMatchObject({ state: 'parked', failure: { code: (failures[0] ?? broken).code } });
  return run;
}

async function finish(run: string, { agree, result }: EngineTest): Promise<unknown> {
  await agree(run, 'agree-last');
  return await result(run);
}

test('retry goes on with what is there', async () => {
  const engine = await place.begin();
  const run = await parkedAt('second', engine);
  await engine.decide(run, 'grace', 'retry');
  expect(await finish(run, engine)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
});

test('start again takes the step back and makes it as the next generation', async () => {
  const engine = await place.begin();
  engine.world.fail('second made', broken);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'second');
  await engine.decide(run, 'grace', 'start-again', 'half made');
  expect(await finish(run, engine)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '+second', '+last', '+tidy']);
  const second = (await engine.detail(run)).steps.find((one) => one.id === 'second');
  expect(second).toMatchObject({ state: 'done', generation: 2 });
});

const generations = async (run: string, { detail }: EngineTest): Promise<string[]> =>
  (await detail(run)).steps.filter((one) => one.generation > 1).map((one) => `${one.id} ${one.generation} ${one.state}`);

test('start again at a step that waits takes back from the earlier step that its story names, and goes on from there', async () => {
  const engine = await place.begin();
  const run = await parkedAt('wait', engine);
  const [question] = (await engine.detail(run)).questions;
  expect(question?.choices).toEqual(['retry', 'start-again', 'roll-back', 'abort']);
  expect(question?.failure?.facts).toEqual({ againFrom: 'first' });
  await engine.decide(run, 'grace', 'start-again', 'lost for good');
  await engine.asked(run, 'agree-last');
  // Nothing of it is cached: the run is told anew from its history.
  await engine.stopWorkers();
  await engine.startWorker();
  expect(await finish(run, engine)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first', '+first', '+second', '+last', '+tidy']);
  expect(await generations(run, engine)).toEqual(['first 2 done', 'second 2 done', 'wait 2 done']);
  // What stands before it is not done again: people are not asked once more.
  expect((await engine.events(run, 'approval.opened')).map((one) => one['approval'])).toEqual(['agree-first', 'wait', 'agree-last']);
  expect((await engine.events(run, 'step.done')).filter((one) => one['step'] === 'look')).toHaveLength(1);
});

test('an earlier step that can not be taken back is asked about, and start again goes on with taking back', async () => {
  const engine = await place.begin();
  engine.world.fail('undo first', broken);
  const run = await parkedAt('wait', engine);
  await engine.decide(run, 'grace', 'start-again', 'lost for good');
  const [question] = (await engine.asked(run, 'wait', 2)).questions;
  expect(question).toMatchObject({ choices: ['start-again', 'roll-back', 'abort'], failure: { code: 'server-error' } });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second']);
  await engine.decide(run, 'grace', 'start-again', 'mended');
  expect(await finish(run, engine)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first', '+first', '+second', '+last', '+tidy']);
});

test('while traffic is held up service comes first: it is as before when people are asked, and start again begins where it was held up', async () => {
  const engine = await place.begin();
  engine.world.fail('wait', broken);
  const run = await engine.request({ word: 'held up' });
  await engine.agree(run, 'agree-first');
  const [question] = (await engine.asked(run, 'wait')).questions;
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
  expect(question).toMatchObject({ choices: ['start-again', 'roll-back', 'abort'], failure: { facts: { againFrom: 'first' } } });
  expect(question?.failure?.message).toContain('traffic is as it was before "Make the first"');
  await engine.decide(run, 'grace', 'start-again', 'mended');
  expect(await finish(run, engine)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first', '+first', '+second', '+last', '+tidy']);
  expect(await generations(run, engine)).toEqual(['first 2 done', 'second 2 done', 'wait 2 done']);
});

test('what held traffic up and can not be taken back is told with the failure, and tried again by start again', async () => {
  const engine = await place.begin();
  engine.world.fail('wait', broken);
  engine.world.fail('undo first', new Failure('conflict', 'it holds on'));
  const run = await engine.request({ word: 'held up' });
  await engine.agree(run, 'agree-first');
  const [question] = (await engine.asked(run, 'wait')).questions;
  expect(question?.failure).toMatchObject({ code: 'conflict', message: expect.stringContaining('could not be taken back: it holds on') });
  await engine.decide(run, 'grace', 'start-again', 'mended');
  expect(await finish(run, engine)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first', '+first', '+second', '+last', '+tidy']);
});

test('start again past an approval asks for it again; a second time makes the third generation', async () => {
  const engine = await place.begin();
  const run = await engine.request({ word: 'far back' });
  await engine.agree(run, 'agree-first');
  for (const opening of [1, 2]) {
    engine.world.fail('last', broken);
    await engine.asked(run, 'agree-last', opening);
    await engine.agree(run, 'agree-last');
    await engine.asked(run, 'last', opening);
    await engine.decide(run, 'grace', 'start-again', 'from the second on');
  }
  await engine.asked(run, 'agree-last', 3);
  expect(await finish(run, engine)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '+second', '-second', '+second', '+last', '+tidy']);
  expect(await generations(run, engine)).toEqual(['second 3 done', 'wait 3 done', 'agree-last 3 done', 'last 3 done']);
});

test('cancelled while an earlier step is taken back to be done again: everything goes back', async () => {
  const engine = await place.begin();
  const gate = newGate();
  engine.world.faults.set('undo second', [gate.pass]);
  const run = await parkedAt('wait', engine);
  await engine.decide(run, 'grace', 'start-again', 'lost for good');
  await gate.reached;
  await engine.decide(run, 'ada', 'cancel', 'wrong day');
  gate.open();
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back', because: 'cancelled by ada: wrong day' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
});

test('where nothing can be taken back, start again is not offered', async () => {
  const engine = await place.begin();
  engine.world.fail('wait', broken);
  const run = await engine.request({ word: 'alone' });
  await engine.agree(run, 'agree-first');
  expect((await engine.asked(run, 'wait')).questions[0]?.choices).toEqual(['retry', 'roll-back', 'abort']);
});

test('skip passes over a step that the plan lets people skip', async () => {
  const engine = await place.begin();
  const run = await parkedAt('second', engine);
  await engine.decide(run, 'grace', 'skip', 'not needed');
  expect(await finish(run, engine)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+last', '+tidy']);
});

test('a step that is not skippable can not be skipped, and a certain failure not be marked done', async () => {
  const engine = await place.begin();
  const run = await parkedAt('first', engine);
  expect((await engine.detail(run)).questions[0]?.choices).toEqual(['retry', 'start-again', 'roll-back', 'abort']);
});

test('an uncertain step may be marked done', async () => {
  const engine = await place.begin();
  const run = await parkedAt('first', engine, new Failure('uncertain', 'nobody knows'));
  await engine.decide(run, 'grace', 'mark-done', 'I looked: it is there');
  expect(await finish(run, engine)).toEqual({ outcome: 'succeeded' });
  expect((await engine.detail(run)).steps.find((one) => one.id === 'first')?.state).toBe('marked-done');
});

test('roll back takes everything back and frees the lease', async () => {
  const engine = await place.begin();
  const run = await parkedAt('second', engine);
  await engine.decide(run, 'grace', 'roll-back', 'enough');
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
  expect([...engine.world.things]).toEqual([]);
  expect((await engine.control.lease.find('orders'))?.state).toBe('free');
});

test('abort leaves what is there, names it and orphans the lease', async () => {
  const engine = await place.begin();
  const run = await parkedAt('second', engine);
  await engine.decide(run, 'grace', 'abort', 'I finish by hand');
  expect(await engine.result(run)).toMatchObject({ outcome: 'aborted', left: ['Make the first', 'Make the second'] });
  expect([...engine.world.things]).toEqual(['first']);
  expect((await engine.control.lease.find('orders'))?.state).toBe('orphaned');
});

test('an undo that fails is reported, the others still run, and the outcome says so', async () => {
  const engine = await place.begin();
  engine.world.fail('undo first', broken);
  const run = await parkedAt('second', engine);
  await engine.decide(run, 'grace', 'roll-back', 'enough');
  await expect(engine.result(run)).rejects.toMatchObject({ cause: { type: 'needs-attention' } });
  expect(await engine.detail(run)).toMatchObject({ outcome: 'needs-attention', left: ['Make the first: the world is broken'] });
  expect((await engine.control.lease.find('orders'))?.state).toBe('orphaned');
});

test('only operators answer for a failed step', async () => {
  const engine = await place.begin();
  const run = await parkedAt('first', engine);
  expect(await engine.decide(run, 'linus', 'abort', 'no')).toMatchObject({
    counts: false,
    because: 'only dba may answer for a failed step',
  });
});

test('past the point of no return a failure can be retried, never rolled back', async () => {
  const engine = await place.begin();
  engine.world.fail('tidy', broken);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.agree(run, 'agree-last');
  expect((await engine.asked(run, 'tidy')).questions[0]?.choices).toEqual(['retry', 'abort']);
  await engine.decide(run, 'grace', 'retry');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});

test('a check that fails before any change refuses the run with its reason', async () => {
  const engine = await place.begin();
  engine.world.fail('look', new Failure('preflight-blocked', 'no key'));
  const run = await engine.request();
  expect(await engine.result(run)).toMatchObject({ outcome: 'refused', because: 'no key' });
  expect(await engine.control.lease.find('orders')).toBeNull();
});
