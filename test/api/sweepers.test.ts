import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { ulid } from 'ulid';
import { deliverUndelivered } from '../../api/deliver-undelivered.ts';
import { createReconciler } from '../../api/reconcile.ts';
import { repeat } from '../../api/repeat.ts';
import { startUnstarted } from '../../api/start-unstarted.ts';
import type { Control, DecisionRow } from '../../control/contract.ts';
import { makeManyRuns } from '../../bench/control/many-runs.ts';
import { Failure } from '../../domain/failure.ts';
import { newGate } from '../engine/hooked-control.ts';
import { eventually } from '../support/eventually.ts';
import { apiPlace, type ApiTest } from './place.ts';

const place = apiPlace();
const log = pino({ level: 'silent' });

/** The same rows, without having to grow old first. */
function hurried(control: Control): Control {
  const { requests, questions } = control;
  return {
    ...control,
    requests: { ...requests, unstarted: () => requests.unstarted(0) },
    questions: { ...questions, undelivered: () => questions.undelivered(0) },
  };
}

test('C11: a run that was written down and not started is started once Temporal is back', async () => {
  const api = await place.begin();
  const parts = { ...api.parts, control: hurried(api.control) };
  api.temporal.refuseStart = true;
  const { run } = await api.run();
  await expect(startUnstarted(parts, log)).rejects.toThrow('the connection was lost');
  api.temporal.refuseStart = false;
  await startUnstarted(parts, log);
  await startUnstarted(parts, log);
  expect(api.temporal.started).toEqual([run]);
});

test('a run that cannot be started does not hold up the next one', async () => {
  const api = await place.begin();
  const parts = { ...api.parts, control: hurried(api.control) };
  api.temporal.refuseStart = true;
  const first = await api.run();
  const second = await api.run();
  const start = api.temporal.start;
  api.temporal.refuseStart = false;
  api.temporal.start = async (request) => {
    if (request.run === first.run) throw new Error('no');
    await start(request);
  };
  await expect(startUnstarted(parts, log)).rejects.toThrow('no');
  expect(api.temporal.started).toEqual([second.run]);
});

test('S7: a run whose workflow was terminated needs attention, and its lease is orphaned, naming what is left', async () => {
  const api = await place.begin();
  const { run } = await api.run();
  await api.control.lease.take('orders', run, () => Promise.resolve(true));
  const key = `${run}/set-password/1`;
  await api.control.runs.planned(run, {
    digest: 'a'.repeat(64),
    steps: [{ id: 'set-password', kind: 'change', title: 'Set the password', applies: true }],
  });
  const { number } = await api.control.attempts.claim({ key, run, step: 'set-password', generation: 1, undo: false });
  await api.control.attempts.intend({ key, number, run, step: 'set-password', database: 'orders', before: {} });
  const reconcile = createReconciler(api.parts, log);
  await reconcile();
  expect(await api.control.runs.find(run)).toMatchObject({ state: 'requested' });
  api.temporal.statuses.set(run, 'terminated');
  await reconcile();
  await reconcile();
  expect(await api.control.runs.find(run)).toMatchObject({
    outcome: 'needs-attention',
    because: 'the workflow was terminated',
    left: ['set-password (begun, and nobody knows how it ended)'],
  });
  expect(await api.control.lease.find('orders')).toMatchObject({ state: 'orphaned', holder: run });
});

test('a run that was ended before it began a change gives its lease back', async () => {
  const api = await place.begin();
  const { run } = await api.run();
  await api.control.lease.take('orders', run, () => Promise.resolve(true));
  api.temporal.statuses.set(run, 'failed');
  await createReconciler(api.parts, log)();
  expect(await api.control.runs.find(run)).toMatchObject({ outcome: 'needs-attention', left: [] });
  expect(await api.control.lease.find('orders')).toMatchObject({ state: 'free' });
});

test('a workflow that Temporal does not know is given a minute', async () => {
  const api = await place.begin();
  const { run } = await api.run();
  let now = 0;
  const reconcile = createReconciler(api.parts, log, () => now);
  api.temporal.statuses.set(run, 'unknown');
  await reconcile();
  now = 50_000;
  await reconcile();
  expect(await api.control.runs.find(run)).toMatchObject({ state: 'requested' });
  api.temporal.statuses.set(run, 'open');
  await reconcile();
  api.temporal.statuses.set(run, 'unknown');
  now = 100_000;
  await reconcile();
  expect(await api.control.runs.find(run)).toMatchObject({ state: 'requested' });
  now = 161_000;
  await reconcile();
  expect(await api.control.runs.find(run)).toMatchObject({ outcome: 'needs-attention' });
});

describe('with many open runs', () => {
  const many = async (api: ApiTest, count: number): Promise<string[]> => {
    const runs: string[] = [];
    await api.superuser(async (client) => runs.push(...(await makeManyRuns(client, { inOne: count / 2, others: count / 2, queues: 20 }))));
    api.temporal.started.push(...runs);
    return runs;
  };

  test('a pass asks for a list and looks at few; the run whose workflow was terminated is among them', async () => {
    const api = await place.begin();
    const runs = await many(api, 300);
    const reconcile = createReconciler(api.parts, log);
    const looked: number[] = [];
    for (let pass = 0; pass < 4; pass += 1) {
      api.temporal.looks = 0;
      await reconcile();
      looked.push(api.temporal.looks);
    }
    expect(looked).toEqual([100, 100, 100, 100]);
    api.temporal.looks = 0;
    const [, , terminated = ''] = runs;
    api.temporal.statuses.set(terminated, 'terminated');
    await reconcile();
    expect(api.temporal.looks).toBe(101);
    expect(await api.control.runs.find(terminated)).toMatchObject({ because: 'the workflow was terminated' });
    expect(await api.control.runs.open()).toHaveLength(299);
  });

  test('the list lags behind: a run that it lacks stays open, and one that it has and that has ended is closed after three passes', async () => {
    const api = await place.begin();
    const runs = await many(api, 250);
    const reconcile = createReconciler(api.parts, log);
    const [first = '', last = ''] = [runs[0], runs.at(-1)];
    api.temporal.listed = new Map(runs.slice(1).map((run) => [run, 'first']));
    await reconcile();
    expect(await api.control.runs.find(first)).toMatchObject({ state: 'waiting' });
    api.temporal.statuses.set(last, 'terminated');
    for (let pass = 0; pass < 3; pass += 1) await reconcile();
    expect(await api.control.runs.find(last)).toMatchObject({ outcome: 'needs-attention' });
    expect(await api.control.runs.open()).toHaveLength(249);
  });

  test('one that cannot be looked at fails the pass, and does not hold up the others', async () => {
    const api = await place.begin();
    const runs = await many(api, 40);
    for (const run of runs.slice(20)) api.temporal.statuses.set(run, 'terminated');
    const { look } = api.temporal;
    api.temporal.look = async (run) => await (run === runs[20] ? Promise.reject(new Error('no answer')) : look(run));
    await expect(createReconciler(api.parts, log)()).rejects.toThrow('no answer');
    expect(await api.control.runs.open()).toEqual(runs.slice(0, 21));
  });
});

test('work is repeated after it failed, and stops when it is told', async () => {
  let times = 0;
  const again = repeat('a test', 1, () => Promise.reject(new Error(`time ${(times += 1)}`)), log);
  await eventually(() => Promise.resolve(times >= 3 ? true : undefined));
  await again.stop();
  const stoppedAt = times;
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
  expect(times).toBe(stoppedAt);
});

describe('a decision that did not surely arrive', () => {
  const written = async (control: Control, run: string, person = 'grace'): Promise<DecisionRow> =>
    await control.questions.decide({
      id: ulid(),
      run,
      approval: 'run',
      opening: 0,
      digest: '',
      choice: 'cancel',
      person,
      groups: ['dba'],
      channel: 'http',
      reason: 'no',
    });

  test('the API was killed before it was sent: it is sent once, though nobody has asked again', async () => {
    const api = await place.begin();
    const parts = { ...api.parts, control: hurried(api.control) };
    const { run } = await api.run();
    const { id } = await written(api.control, run);
    await deliverUndelivered(parts, log);
    await deliverUndelivered(parts, log);
    expect(api.temporal.messages).toEqual([{ approval: 'run', opening: 0, digest: '', choice: 'cancel', decisionId: id }]);
  });

  test('the run has judged it and the server died before it could keep that: it is sent again until it is taken', async () => {
    const api = await place.begin();
    const parts = { ...api.parts, control: hurried(api.control) };
    const { run } = await api.run();
    const { id } = await written(api.control, run);
    await api.control.questions.judge(id, { counts: true, because: 'counts' });
    api.temporal.judgement = new Failure('temporal-unavailable', 'the connection was lost');
    await expect(deliverUndelivered(parts, log)).rejects.toThrow('did not arrive');
    api.temporal.judgement = { counts: true, settled: 'cancel', by: { person: 'grace' }, because: 'counts' };
    await deliverUndelivered(parts, log);
    await deliverUndelivered(parts, log);
    expect(api.temporal.messages.map((one) => one.decisionId)).toEqual([id, id]);
    expect(await api.control.questions.decision(id)).toMatchObject({ counts: true });
  });

  test('a run that takes none holds up no other run, and a run gets its decisions in their order', async () => {
    const api = await place.begin();
    const parts = { ...api.parts, control: hurried(api.control) };
    const hanging = await api.run();
    const other = await api.run();
    // More than a pass takes.
    for (let count = 0; count < 120; count += 1) await written(api.control, hanging.run, `person-${count}`);
    const [first, second] = [await written(api.control, other.run), await written(api.control, other.run)];
    const gate = newGate();
    const sent: [string, string][] = [];
    api.temporal.decideLater = async (run, { decisionId }) => {
      sent.push([run, decisionId]);
      if (run !== hanging.run) return;
      await gate.pass();
      throw new Failure('temporal-unavailable', 'no answer in time');
    };
    const pass = expect(deliverUndelivered(parts, log)).rejects.toThrow('did not arrive');
    await gate.reached;
    await eventually(async () => ((await api.control.questions.undelivered(0)).some(({ run }) => run === other.run) ? undefined : true));
    gate.open();
    await pass;
    expect(sent.filter(([run]) => run === other.run).map(([, id]) => id)).toEqual([first.id, second.id]);
    expect(sent.filter(([run]) => run === hanging.run)).toHaveLength(1);
  });

  test('its run has closed: it is refused, and sent to nobody', async () => {
    const api = await place.begin();
    const parts = { ...api.parts, control: hurried(api.control) };
    const { run } = await api.run();
    const { id } = await written(api.control, run);
    await api.control.runs.close(run, { outcome: 'refused', free: true });
    await deliverUndelivered(parts, log);
    expect(api.temporal.messages).toEqual([]);
    expect(await api.control.questions.decision(id)).toMatchObject({ counts: false, because: 'the run has closed (refused)' });
  });

  test('one that was refused is heard by nobody', async () => {
    const api = await place.begin();
    const parts = { ...api.parts, control: hurried(api.control) };
    const { run } = await api.run();
    const { id } = await written(api.control, run);
    await api.control.questions.judge(id, { counts: false, because: 'grace may not' });
    await deliverUndelivered(parts, log);
    expect(api.temporal.messages).toEqual([]);
  });
});

test('a run that was reset is told once what counted, and no cancel', async () => {
  const api = await place.begin();
  const { run } = await api.run();
  await api.control.requests.started((await api.control.events.list({ run, limit: 1 })).map((one) => String(one.data['request']))[0] ?? '');
  const said = { run, opening: 1, digest: 'd', groups: ['dba'], channel: 'http', reason: 'so be it' } as const;
  const [agreed, refused, cancelled] = [ulid(), ulid(), ulid()];
  await api.control.questions.decide({ ...said, id: agreed, approval: 'agree-first', choice: 'approve', person: 'grace' });
  await api.control.questions.decide({ ...said, id: refused, approval: 'agree-first', choice: 'approve', person: 'mallory' });
  await api.control.questions.decide({ ...said, id: cancelled, approval: 'run', choice: 'cancel', person: 'grace' });
  await api.control.questions.judge(agreed, { counts: true, because: 'counts' });
  await api.control.questions.judge(refused, { counts: false, because: 'mallory may not' });
  await api.control.questions.judge(cancelled, { counts: true, because: 'counts' });
  const tell = createReconciler(api.parts, log);
  await tell();
  expect(api.temporal.messages).toEqual([]);
  api.temporal.resets.set(run, 'another');
  await tell();
  await tell();
  expect(api.temporal.messages.map((one) => one.decisionId)).toEqual([agreed]);
});
