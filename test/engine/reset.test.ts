import { ulid } from 'ulid';
import { expect, test } from 'vitest';
import { startRun } from '../../temporal/runs.ts';
import { Failure } from '../../domain/failure.ts';
import { eventually } from '../support/eventually.ts';
import { enginePlace, type EngineTest } from './place.ts';
import { resetBefore } from './reset-before.ts';

const place = enginePlace();

/** Until the run that was reset is where it takes the answer: the question stands open in the control database meanwhile. */
async function answerAgain(
  engine: EngineTest,
  run: string,
  answers: readonly (readonly [person: string, choice: 'approve' | 'retry'])[],
): Promise<void> {
  for (const [person, choice] of answers) {
    await eventually(async () => ((await engine.decide(run, person, choice))?.counts === true ? true : undefined));
  }
}

const bothAgree = [
  ['grace', 'approve'],
  ['linus', 'approve'],
] as const;

test('reset to before a step that is done: the same key, adopted, not made again', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  await resetBefore(engine, run, 'rehearsal.make', { nth: 2 });
  await eventually(async () =>
    (await engine.events(run, 'attempt.settled')).some((one) => one['outcome'] === 'adopted') ? true : undefined,
  );
  await answerAgain(engine, run, bothAgree);
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
  expect((await engine.detail(run)).steps.find((one) => one.id === 'second')).toMatchObject({ generation: 1, attempt: 2 });
});

test.for([true, false])('reset to before an approval that was given: it stands (messages delivered again: %s)', async (keep) => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  await resetBefore(engine, run, 'engine.ask', { keep });
  await answerAgain(engine, run, bothAgree);
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
});

test('reset to before an approval that was given to another plan: it is asked under the next number', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  engine.world.facts = { binding: { shape: 'square' }, observed: { size: 1 } };
  await resetBefore(engine, run, 'engine.plan', { nth: 2 });
  await engine.asked(run, 'agree-first', 2);
  expect((await engine.detail(run)).questions).toHaveLength(1);
  await engine.agree(run, 'agree-first');
  await answerAgain(engine, run, bothAgree);
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});

test('reset between the last answer and the end of its question: nobody has to answer again', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  const held = Promise.withResolvers<void>();
  engine.hooks.before.set('questions.close', async () => await held.promise);
  await engine.agree(run, 'agree-first');
  await eventually(async () => ((await engine.events(run, 'decision.judged')).length === 2 ? true : undefined));
  await resetBefore(engine, run, 'engine.ask');
  held.resolve();
  await answerAgain(engine, run, bothAgree);
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});

test('reset to before a step that was parked and answered: it is asked anew', async () => {
  const engine = await place.begin();
  const broken = new Failure('server-error', 'the world is broken');
  engine.world.fail('second', broken);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'second', 1);
  await engine.decide(run, 'grace', 'retry');
  await engine.asked(run, 'agree-last');
  engine.world.things.delete('second');
  engine.world.fail('second', broken);
  await resetBefore(engine, run, 'rehearsal.make', { nth: 2 });
  await engine.asked(run, 'second', 2);
  expect((await engine.detail(run)).questions).toHaveLength(1);
  await engine.decide(run, 'grace', 'retry');
  await answerAgain(engine, run, bothAgree);
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});

test('terminated, its lease found orphaned, then reset: it parks, and a retry takes the lease back', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  await engine.client.workflow.getHandle(run).terminate('by mistake');
  await expect(engine.result(await engine.request())).rejects.toMatchObject({ cause: { type: 'lease-orphaned' } });
  await engine.control.lease.take('orders', `rehearsal/orders/${ulid()}`, async () => await Promise.resolve(false)).catch(() => undefined);
  expect((await engine.control.lease.find('orders'))?.state).toBe('orphaned');
  await resetBefore(engine, run, 'engine.ask', { nth: 2 });
  await answerAgain(engine, run, bothAgree);
  await engine.asked(run, 'last');
  await engine.decide(run, 'grace', 'retry');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});

test.for([true, false])(
  'a run that was closed and is reset asks nobody, makes nothing and takes nothing back (messages again: %s)',
  async (keep) => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await engine.agree(run, 'agree-last');
    await engine.result(run);
    const before = [...engine.world.effects];
    await resetBefore(engine, run, 'engine.ask', { nth: 2, keep });
    await expect(engine.result(run)).rejects.toMatchObject({ cause: { type: 'conflict' } });
    expect(engine.world.effects).toEqual(before);
    expect(await engine.detail(run)).toMatchObject({ outcome: 'succeeded' });
  },
);

test('a run that was closed is not begun again by a start under its id', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  await engine.decide(run, 'grace', 'reject', 'no');
  await engine.result(run);
  const { input, requester } = await engine.detail(run);
  const [requested] = await engine.control.events.list({ run, limit: 1 });
  const request = String(requested?.data['request']);
  await startRun(
    engine.client,
    { id: request, run, runbook: 'rehearsal', database: 'orders', input, requester, channel: 'http', ticket: null, startedAt: null },
    { taskQueue: engine.taskQueue },
  );
  const again = await engine.client.workflow.start('rehearsal', {
    workflowId: run,
    taskQueue: engine.taskQueue,
    args: [{ request, input }],
  });
  await expect(again.result()).rejects.toMatchObject({ cause: { type: 'conflict' } });
});
