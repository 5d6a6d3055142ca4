import { expect, test } from 'vitest';
import type { RunDetail } from '../../control/contract.ts';
import type { Choice } from '../../domain/decision.ts';
import { Failure } from '../../domain/failure.ts';
import { lookAt } from '../../temporal/runs.ts';
import { executionOf, grow } from './grow.ts';
import { enginePlace } from './place.ts';
import { replayMs, replayWithinMs } from './replay-ms.ts';
import { resetBefore } from './reset-before.ts';

// A run whose history has grown is continued as new, and nobody can tell from what comes of it.

const place = enginePlace();

/** What people see of a run, but for times and names. */
function seen({ outcome, state, steps, decisions }: RunDetail): unknown {
  return {
    outcome,
    state,
    steps: steps.map(({ id, state: stands, generation, attempt }) => [id, stands, generation, attempt]),
    decisions: decisions.map(({ approval, opening, choice, person, counts }) => [approval, opening, choice, person, counts]),
  };
}

test('in the middle of an approval: the same question, its answers and its deadline; and again in the next one', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  const [before] = (await engine.asked(run, 'agree-first')).questions;
  await engine.decide(run, 'grace', 'approve');
  const first = await grow(engine, run);
  expect(await replayMs(engine, run, first)).toBeLessThan(replayWithinMs);
  const [after] = (await engine.asked(run, 'agree-first')).questions;
  expect(after).toEqual({ ...before, agreements: [expect.objectContaining({ person: 'grace' })] });
  expect(await lookAt(engine.client, run)).toEqual({ status: 'open', resetTo: null });
  expect(await engine.client.workflow.getHandle(run).describe()).toMatchObject({
    memo: { requester: 'ada' },
    searchAttributes: { RunbookState: ['waiting'], RunbookRequester: ['ada'] },
  });
  expect(await engine.decide(run, 'grace', 'approve')).toMatchObject({ counts: false });
  expect(await engine.decide(run, 'linus', 'approve')).toMatchObject({ counts: true, settled: 'approve' });

  await engine.asked(run, 'agree-last', 1);
  const answered = engine.decide(run, 'grace', 'approve');
  await grow(engine, run);
  expect(await answered).toMatchObject({ counts: true });
  expect(await engine.decide(run, 'linus', 'approve')).toMatchObject({ counts: true, settled: 'approve' });
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(engine.world.effects).toEqual(['+first', '+second', '+last', '+tidy']);
  expect(await engine.events(run, 'approval.opened')).toHaveLength(2);
  expect(await engine.events(run, 'run.planned')).toHaveLength(3);
});

test.each<Choice>(['retry', 'start-again', 'roll-back'])('parked, and answered with %s: all is as without', async (choice) => {
  const parked = async (grown: boolean): Promise<unknown> => {
    const engine = await place.begin();
    engine.world.fail('second', new Failure('server-error', 'the world is broken'));
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await engine.asked(run, 'second');
    if (grown) await grow(engine, run);
    expect(await engine.decide(run, 'grace', choice, 'so be it')).toMatchObject({ counts: true });
    if (choice !== 'roll-back') await engine.agree(run, 'agree-last');
    const result = await engine.result(run);
    return { result, effects: engine.world.effects, seen: seen(await engine.detail(run)) };
  };
  expect(await parked(true)).toEqual(await parked(false));
});

test('cancelled afterwards: everything is taken back; and a reset of the new execution is seen as one', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
  await grow(engine, run);
  await resetBefore(engine, run, 'engine.ask');
  const look = await lookAt(engine.client, run);
  expect(look).toEqual({ status: 'open', resetTo: await executionOf(engine, run) });
  await engine.asked(run, 'agree-last', 1);
  await engine.decide(run, 'ada', 'cancel', 'enough');
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back', because: 'cancelled by ada: enough' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
});

test('a memory that somebody gives to a start is not believed', async () => {
  const engine = await place.begin();
  const real = await engine.request();
  const { input } = await engine.detail(real);
  const [requested] = await engine.control.events.list({ run: real, limit: 1 });
  await engine.client.workflow.getHandle(real).terminate();
  const carried = { steps: [['agree-first', { state: 'done', generation: 1 }]], results: [], openings: [], undos: [], lease: true };
  await engine.client.workflow.start('rehearsal', {
    workflowId: real,
    taskQueue: engine.taskQueue,
    args: [{ request: String(requested?.data['request']), input, carried }],
  });
  await engine.asked(real, 'agree-first');
  expect(engine.world.effects).toEqual([]);
});
