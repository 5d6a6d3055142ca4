import { expect, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { failureOf } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { enginePlace, type EngineTest } from './place.ts';

const place = enginePlace();

async function waitingForTheWord(engine: EngineTest): Promise<string> {
  engine.world.wordIsThere = false;
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await eventually(async () => (await engine.detail(run)).steps.find((one) => one.id === 'wait' && one.progress !== null));
  return run;
}

test('a cancel while it waits takes everything back', async () => {
  const engine = await place.begin();
  const run = await waitingForTheWord(engine);
  expect(await engine.decide(run, 'ada', 'cancel', 'wrong day')).toMatchObject({ counts: true });
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back', because: 'cancelled by a decision' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
});

test('a cancel of Temporal itself does the same', async () => {
  const engine = await place.begin();
  const run = await waitingForTheWord(engine);
  await engine.client.workflow.getHandle(run).cancel();
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back', because: 'cancelled by Temporal' });
  expect([...engine.world.things]).toEqual([]);
});

test('the undo begins only when the act has stopped', async () => {
  const engine = await place.begin();
  const trace: string[] = [];
  engine.world.faults.set('second made', [
    async () => {
      trace.push('act begins');
      await eventually(async () => await Promise.resolve(trace.includes('let go') || undefined));
      trace.push('act ends');
    },
  ]);
  engine.world.faults.set('undo second', [
    async () => {
      await Promise.resolve(trace.push('undo begins'));
    },
  ]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await eventually(async () => await Promise.resolve(trace.includes('act begins') || undefined));
  await engine.decide(run, 'ada', 'cancel', 'stop');
  await eventually(async () =>
    (await engine.control.events.list({ run, limit: 200 })).some((one) => one.kind === 'decision.judged') ? true : undefined,
  );
  trace.push('let go');
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
  expect(trace).toEqual(['act begins', 'let go', 'act ends', 'undo begins']);
});

test('past the point of no return a cancel is refused, and a raw one changes nothing', async () => {
  const engine = await place.begin();
  engine.world.fail('tidy', new Failure('server-error', 'stands still here'));
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.agree(run, 'agree-last');
  await engine.asked(run, 'tidy');
  const refusal = await failureOf('conflict', engine.decide(run, 'ada', 'cancel', 'too late'));
  expect(refusal.message).toContain('past its point of no return');
  await engine.client.workflow.getHandle(run).cancel();
  await engine.decide(run, 'grace', 'retry');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});

test('a cancel by somebody without the right is refused', async () => {
  const engine = await place.begin();
  const run = await waitingForTheWord(engine);
  expect(await engine.decide(run, 'mallory', 'cancel', 'fun')).toMatchObject({ counts: false });
  engine.world.wordIsThere = true;
  await engine.asked(run, 'agree-last');
});
