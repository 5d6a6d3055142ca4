import { describe, expect, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { failureOf } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { newGate, once } from './hooked-control.ts';
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
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back', because: 'cancelled by ada: wrong day' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
  expect((await engine.detail(run)).steps.find((one) => one.id === 'wait')?.state).toBe('stopped');
  // Before the undos, not only at the end.
  const kinds = (await engine.control.events.list({ run, limit: 200 })).map((one) => one.kind);
  expect(kinds.indexOf('step.stopped')).toBeLessThan(kinds.indexOf('step.undone'));
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

describe('before anything was changed the run is refused and nothing is made', () => {
  async function refused(run: string, engine: EngineTest, because = 'cancelled by ada: no'): Promise<void> {
    expect(await engine.result(run)).toMatchObject({ outcome: 'refused', because });
    expect(engine.world.effects).toEqual([]);
    expect((await engine.control.lease.find('orders'))?.state ?? 'free').toBe('free');
    expect(await engine.detail(run)).toMatchObject({ outcome: 'refused', questions: [] });
  }

  test('cancelled before a worker has seen it, by a Signal', async () => {
    const engine = await place.begin({ workers: 0 });
    const run = await engine.request();
    await engine.client.workflow.getHandle(run).signal('decided', await engine.click(run, 'ada', 'cancel', 'no'));
    await engine.startWorker();
    await refused(run, engine);
  });

  test('cancelled before a worker has seen it, by Temporal', async () => {
    const engine = await place.begin({ workers: 0 });
    const run = await engine.request();
    await engine.client.workflow.getHandle(run).cancel();
    await engine.startWorker();
    await refused(run, engine, 'cancelled by Temporal');
  });

  test.for([
    ['while it is admitted', 'lease.find'],
    ['while the plan is made', 'documents.put'],
    ['while it is about to ask', 'questions.open'],
    ['between the approval and the lease', 'lease.take'],
    ['while the facts are taken again', 'lease.take'],
    ['while the approval is closed', 'questions.close'],
  ] as const)('cancelled %s', async ([when, name]) => {
    const engine = await place.begin();
    const gate = newGate();
    // The approval's end is held up however often it is tried: a change comes right after it.
    const pass = name === 'questions.close' ? gate.pass : once(gate.pass);
    engine.hooks[when.startsWith('while the facts') ? 'after' : 'before'].set(name, pass);
    const run = await engine.request();
    if (name.startsWith('lease.take') || name === 'questions.close') await engine.agree(run, 'agree-first');
    await gate.reached;
    await engine.decide(run, 'ada', 'cancel', 'no');
    gate.open();
    await refused(run, engine);
  });

  test('cancelled, and not judged yet when the first change is due: the change waits for the judgement', async () => {
    const engine = await place.begin();
    const [closing, judging] = [newGate(), newGate()];
    engine.hooks.before.set('questions.close', closing.pass);
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await closing.reached;
    let tries = 0;
    engine.hooks.before.set('questions.judge', async () => {
      tries += 1;
      await judging.pass();
    });
    const cancelled = engine.decide(run, 'ada', 'cancel', 'no');
    // The question's end was tried on the spot for too long, so this is called by the server: the workflow goes on meanwhile.
    await eventually(async () => await Promise.resolve(tries === 1 || undefined));
    closing.open();
    await eventually(async () => ((await engine.events(run, 'step.done')).some((one) => one['step'] === 'agree-first') ? true : undefined));
    judging.open();
    await cancelled;
    await refused(run, engine);
  });

  test('cancelled while it asks', async () => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    await engine.decide(run, 'ada', 'cancel', 'no');
    await refused(run, engine);
    expect(await engine.events(run, 'approval.closed')).toMatchObject([{ answer: 'cancel' }]);
  });

  test('cancelled by Temporal while it takes the lease for a change that nobody is asked about', async () => {
    const engine = await place.begin({ auto: true });
    const gate = newGate();
    engine.hooks.before.set('lease.take', once(gate.pass));
    const run = await engine.request();
    await gate.reached;
    await engine.client.workflow.getHandle(run).cancel();
    // It is not heard while the lease is being taken on the spot; that is given up after a while.
    await refused(run, engine, 'cancelled by Temporal');
    gate.open();
  });
});

test('cancelled twice, and once more while it cleans up: the clean-up happens once', async () => {
  const engine = await place.begin();
  const run = await waitingForTheWord(engine);
  const gate = newGate();
  engine.world.faults.set('undo second', [gate.pass]);
  await engine.decide(run, 'ada', 'cancel', 'wrong day');
  await gate.reached;
  const refusal = await failureOf('conflict', engine.decide(run, 'grace', 'cancel', 'me too'));
  expect(refusal.message).toContain('going back already');
  await engine.client.workflow.getHandle(run).cancel();
  gate.open();
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back', because: 'cancelled by ada: wrong day' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
});

test('cancelled while a step is parked: the reason is the cancel, and what had failed is kept', async () => {
  const engine = await place.begin();
  engine.world.fail('second', new Failure('server-error', 'the world is broken'));
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'second');
  await engine.decide(run, 'ada', 'cancel', 'enough');
  const because = '"Make the second" failed: the world is broken; cancelled by ada: enough';
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back', because });
  expect((await engine.detail(run)).failure).toMatchObject({ code: 'server-error' });
});

test('cancelled while a step is taken back to be started again: it goes back and makes it no more', async () => {
  const engine = await place.begin();
  engine.world.fail('second made', new Failure('server-error', 'half made'));
  const gate = newGate();
  engine.world.faults.set('undo second', [gate.pass]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'second');
  await engine.decide(run, 'grace', 'start-again');
  await gate.reached;
  await engine.decide(run, 'ada', 'cancel', 'no');
  gate.open();
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
});

test('a step that fails as it is cancelled goes back and asks nobody', async () => {
  const engine = await place.begin();
  const gate = newGate();
  engine.world.faults.set('second made', [
    async () => {
      await gate.pass();
      throw new Failure('server-error', 'it broke on its way out');
    },
  ]);
  const run = await engine.request();
  await engine.agree(run, 'agree-first');
  await gate.reached;
  await engine.decide(run, 'ada', 'cancel', 'stop');
  gate.open();
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back', because: 'cancelled by ada: stop' });
  expect((await engine.events(run, 'approval.opened')).map((one) => one['kind'])).toEqual(['approval']);
});
