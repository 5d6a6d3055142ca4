import { ulid } from 'ulid';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { sendDecision } from '../../temporal/send-decision.ts';
import { failureOf } from '../control/support.ts';
import { eventually } from '../support/eventually.ts';
import { newGate, once } from './hooked-control.ts';
import { enginePlace, type EngineTest } from './place.ts';

const place = enginePlace();

async function finished(run: string, { agree, result }: EngineTest): Promise<unknown> {
  await agree(run, 'agree-last');
  return await result(run);
}

describe('messages that are none', () => {
  test.for([[], [null], ['hello'], [{ approval: 'agree-first' }]])('the Signal %j harms nothing', async (args) => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    await engine.client.workflow.getHandle(run).signal('decided', ...args);
    await engine.agree(run, 'agree-first');
    expect(await finished(run, engine)).toEqual({ outcome: 'succeeded' });
  });

  test('an Update without a message is refused', async () => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    await expect(engine.client.workflow.getHandle(run).executeUpdate('decide', { args: [] })).rejects.toThrow();
    await engine.agree(run, 'agree-first');
    await engine.asked(run, 'agree-last');
  });

  test('a decision about another run counts nothing here, and is as good there as before', async () => {
    const engine = await place.begin();
    const [here, there] = [await engine.request(), await engine.request()];
    await engine.asked(here, 'agree-first');
    await engine.asked(there, 'agree-first');
    const message = await engine.click(there, 'grace', 'approve');
    await engine.client.workflow.getHandle(here).signal('decided', { ...message, opening: 7 });
    expect(await sendDecision(engine.client, here, message)).toMatchObject({ counts: false });
    expect(await sendDecision(engine.client, there, message)).toMatchObject({ counts: true });
  });

  test('a message that says something else than the row counts nothing, and the row is as good as before', async () => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    const message = await engine.click(run, 'grace', 'reject', 'no');
    expect(await sendDecision(engine.client, run, { ...message, choice: 'approve' })).toMatchObject({ counts: false });
    await engine.client.workflow.getHandle(run).signal('decided', message);
    expect(await engine.result(run)).toMatchObject({ outcome: 'refused' });
  });

  test('what a sender adds to the message is ignored: neither a reason against it nor a plan to confirm', async () => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    const agrees = await engine.click(run, 'grace', 'approve');
    const plan = { runbook: 'rehearsal', database: 'orders', input: {}, agreed: agrees.digest };
    const forged = { ...agrees, refuse: 'forged', confirm: { plan, takesLease: false } };
    expect(await sendDecision(engine.client, run, forged)).toMatchObject({ counts: true, settled: null });
    await engine.decide(run, 'linus', 'approve');
    await engine.asked(run, 'agree-last');
  });
});

describe('several at once', () => {
  test('of an approval that settles and a reject the first one wins, whichever answer is there first, and the other is told', async () => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    await engine.decide(run, 'grace', 'approve');
    const gate = newGate();
    engine.hooks.after.set('questions.judge', gate.pass);
    const approves = engine.decide(run, 'linus', 'approve');
    await gate.reached;
    const rejects = engine.decide(run, 'edsger', 'reject', 'no');
    // The reject could be judged beside the other then.
    await eventually(async () => ((await accepted(engine, run)) === 3 ? true : undefined));
    gate.open();
    expect(await approves).toMatchObject({ counts: true, settled: 'approve' });
    expect(await rejects).toMatchObject({ counts: false });
    await engine.asked(run, 'agree-last');
  });

  test('a message that comes as Update and as Signal counts once', async () => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    const message = await engine.click(run, 'grace', 'approve');
    await engine.client.workflow.getHandle(run).signal('decided', message);
    expect(await sendDecision(engine.client, run, message)).toMatchObject({ counts: true, settled: null });
    expect((await engine.detail(run)).questions[0]?.agreements).toHaveLength(1);
    expect(await engine.events(run, 'decision.judged')).toHaveLength(1);
  });
});

test('an answer that was judged, its question closed, and all of it lost with the workflow task: sent again, the run goes on', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  await engine.asked(run, 'agree-first');
  await engine.decide(run, 'grace', 'approve');
  const message = await engine.click(run, 'linus', 'approve');
  const { control } = engine;
  await control.questions.judge(message.decisionId, { counts: true, because: 'counts' });
  await control.questions.close({ run, approval: 'agree-first', opening: 1 }, 'approve');
  await control.runs.change(run, { state: 'running', steps: [{ id: 'agree-first', state: 'done', generation: 1 }] });
  // What a later step has made of the facts.
  engine.world.facts = { binding: { shape: 'square' }, observed: { size: 1 } };
  expect(await sendDecision(engine.client, run, message)).toMatchObject({ counts: true, settled: 'approve' });
  await engine.agree(run, 'agree-last');
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
  expect(await engine.events(run, 'approval.closed')).toMatchObject([{ answer: 'approve' }, { answer: 'approve' }]);
});

describe('deadlines', () => {
  test('an answer that is being judged when the deadline passes counts', async () => {
    const engine = await place.begin({ deadline: '1500ms' });
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    await engine.decide(run, 'grace', 'approve');
    const gate = newGate();
    engine.hooks.after.set('questions.judge', once(gate.pass));
    const approves = engine.decide(run, 'linus', 'approve');
    await gate.reached;
    const question = (await engine.detail(run)).questions[0];
    await eventually(async () => await Promise.resolve(Date.now() > Date.parse(question?.deadline ?? '') + 500 || undefined));
    gate.open();
    expect(await approves).toMatchObject({ counts: true, settled: 'approve' });
    await engine.asked(run, 'agree-last');
  });

  test('no worker for a while: a click before the deadline counts, one after it is late', async () => {
    const engine = await place.begin({ deadline: '2s' });
    const run = await engine.request();
    const { questions } = await engine.asked(run, 'agree-first');
    await engine.stopWorkers();
    const handle = engine.client.workflow.getHandle(run);
    await handle.signal('decided', await engine.click(run, 'grace', 'approve'));
    const passed = Date.parse(questions[0]?.deadline ?? '');
    await eventually(async () => await Promise.resolve(Date.now() > passed + 300 || undefined));
    await handle.signal('decided', await engine.click(run, 'linus', 'approve'));
    await engine.startWorker();
    expect(await engine.result(run)).toMatchObject({ outcome: 'refused', because: '"Agree to begin" was not decided in time' });
    const decisions = (await engine.detail(run)).decisions.map(({ person, counts }) => [person, counts]);
    expect(decisions).toEqual([
      ['grace', true],
      ['linus', false],
    ]);
  });

  test('no worker until after the deadline: what was clicked in time goes through', async () => {
    const engine = await place.begin({ deadline: '2s' });
    const run = await engine.request();
    const { questions } = await engine.asked(run, 'agree-first');
    await engine.stopWorkers();
    const handle = engine.client.workflow.getHandle(run);
    for (const person of ['grace', 'linus']) await handle.signal('decided', await engine.click(run, person, 'approve'));
    const passed = Date.parse(questions[0]?.deadline ?? '');
    await eventually(async () => await Promise.resolve(Date.now() > passed + 300 || undefined));
    await engine.startWorker();
    await eventually(async () =>
      (await engine.detail(run)).steps.find((one) => one.id === 'agree-first')?.state === 'done' ? true : undefined,
    );
  });
});

describe('people who change', () => {
  test('who was taken out of the inventory between click and judgement is refused', async () => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    const clicked = await engine.click(run, 'grace', 'approve');
    const cancel = await engine.click(run, 'ada', 'cancel', 'no');
    engine.inventory = without(engine, 'grace', 'ada');
    expect(await sendDecision(engine.client, run, clicked)).toMatchObject({ counts: false });
    expect(await sendDecision(engine.client, run, cancel)).toMatchObject({ counts: false });
  });

  test('who left the group before the quorum was full does not fill it', async () => {
    const engine = await place.begin();
    const run = await engine.request();
    await engine.asked(run, 'agree-first');
    await engine.decide(run, 'grace', 'approve');
    engine.inventory = without(engine, 'grace');
    expect(await engine.decide(run, 'linus', 'approve')).toMatchObject({ counts: true, settled: null });
    expect(await engine.decide(run, 'edsger', 'approve')).toMatchObject({ counts: true, settled: 'approve' });
  });

  test('a policy that asks nobody any more does not make a question that nobody can answer', async () => {
    const engine = await place.begin();
    engine.world.faults.set('look', [
      async () => {
        const { policies } = engine.inventory;
        const policy = policies['default'];
        if (policy)
          engine.inventory = {
            ...engine.inventory,
            policies: { default: { ...policy, approvals: { ...policy.approvals, high: 'auto' } } },
          };
        await Promise.resolve();
      },
    ]);
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await engine.asked(run, 'agree-last');
  });

  test('the requester who is the only operator answers for a failed step', async () => {
    const engine = await place.begin();
    engine.world.fail('second', new Failure('server-error', 'the world is broken'));
    const run = await engine.request();
    await engine.agree(run, 'agree-first');
    await engine.asked(run, 'second');
    engine.inventory = without(engine, 'grace', 'edsger');
    expect(await engine.decide(run, 'ada', 'retry')).toMatchObject({ counts: true });
    await engine.asked(run, 'agree-last');
  });

  test('a run that nobody but its requester could agree to is refused at once', async () => {
    const engine = await place.begin();
    engine.inventory = without(engine, 'grace', 'edsger');
    const run = await engine.request();
    await expect(engine.result(run)).rejects.toMatchObject({ cause: { type: 'plan-impossible' } });
    expect((await engine.detail(run)).because).toContain('1 of dba and 1 of owners');
  });
});

test('a cancel that comes when the run is closing is refused, not counted', async () => {
  const engine = await place.begin();
  const gate = newGate();
  engine.hooks.before.set('runs.close', once(gate.pass));
  const run = await engine.request({ word: 'short' });
  await engine.agree(run, 'agree-first');
  await gate.reached;
  await failureOf('conflict', engine.decide(run, 'ada', 'cancel', 'stop'));
  gate.open();
  expect(await engine.result(run)).toEqual({ outcome: 'succeeded' });
});

test('a cancel that is being judged when the last step ends is heard', async () => {
  const engine = await place.begin();
  engine.world.wordIsThere = false;
  const run = await engine.request({ word: 'short' });
  await engine.agree(run, 'agree-first');
  await eventually(async () => (await engine.detail(run)).steps.find((one) => one.id === 'wait' && one.progress !== null));
  const gate = newGate();
  engine.hooks.after.set('questions.judge', once(gate.pass));
  const cancels = engine.decide(run, 'ada', 'cancel', 'stop');
  await gate.reached;
  engine.world.wordIsThere = true;
  await eventually(async () => ((await engine.detail(run)).steps.find((one) => one.id === 'wait')?.state === 'done' ? true : undefined));
  setTimeout(gate.open, 300);
  expect(await cancels).toMatchObject({ counts: true });
  expect(await engine.result(run)).toMatchObject({ outcome: 'rolled-back' });
  expect(engine.world.effects).toEqual(['+first', '+second', '-second', '-first']);
});

test('a message without a row, as a Signal, ends nothing', async () => {
  const engine = await place.begin();
  const run = await engine.request();
  const { questions } = await engine.asked(run, 'agree-first');
  const forged = { approval: 'agree-first', opening: 1, digest: questions[0]?.digest ?? '', choice: 'approve', decisionId: ulid() };
  await engine.client.workflow.getHandle(run).signal('decided', forged);
  await engine.agree(run, 'agree-first');
  await engine.asked(run, 'agree-last');
});

function without({ inventory }: EngineTest, ...names: string[]): EngineTest['inventory'] {
  return { ...inventory, people: inventory.people.filter((one) => !names.includes(one.name)) };
}

/** How many Updates the run has taken. */
async function accepted({ client }: EngineTest, run: string): Promise<number> {
  const { events = [] } = await client.workflow.getHandle(run).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
}
