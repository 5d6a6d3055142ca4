import { describe, expect, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { apiPlace, problemIn, type ApiTest } from './place.ts';

const place = apiPlace();
const digest = 'd'.repeat(64);
const approve = { approval: 'agree-first', opening: 1, digest, choice: 'approve' };

async function asking(api: ApiTest): Promise<{ run: string; id: string }> {
  const { run, id } = await api.run();
  const quorum = [{ group: 'dba', count: 1 }];
  await api.control.questions.open({
    run,
    approval: 'agree-first',
    opening: 1,
    kind: 'approval',
    digest,
    choices: ['approve', 'reject', 'withdraw'],
    quorum,
  });
  return { run, id };
}

async function passNoReturn({ control }: ApiTest, run: string): Promise<void> {
  const key = `${run}/last/1`;
  await control.lease.take('orders', run, () => Promise.resolve(true));
  const steps = [{ id: 'last', kind: 'change', title: 'Make the last', applies: true }];
  await control.runs.planned(run, { digest: 'a'.repeat(64), steps });
  const { number } = await control.attempts.claim({ key, run, step: 'last', generation: 1, undo: false });
  await control.noReturn.decide(run, { number, attemptKey: key, run, database: 'orders' }, 'forward', {});
}

test('a decision is written down with the person’s groups of now, sent without a name, and its judgement answered', async () => {
  const api = await place.begin();
  const { run, id } = await asking(api);
  api.temporal.judgement = { counts: true, settled: 'approve', by: { person: 'grace' }, because: 'everybody agreed' };
  const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: approve });
  expect(answer).toMatchObject({
    status: 200,
    body: { counts: true, settled: 'approve', because: 'everybody agreed' },
  });
  const decisionId = String(answer.body['decision']);
  expect(api.temporal.messages).toEqual([{ ...approve, decisionId }]);
  expect(await api.control.questions.decision(decisionId)).toMatchObject({
    run,
    person: 'grace',
    groups: ['dba', 'owners'],
    channel: 'http',
    counts: null,
  });
});

test('what the run refuses is a 409 with what the person is told', async () => {
  const api = await place.begin();
  const { id } = await asking(api);
  api.temporal.judgement = { counts: false, because: 'ada asked for the run' };
  const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: approve });
  expect(answer.status).toBe(409);
  expect(problemIn(answer).detail).toContain('ada asked for the run');
});

describe('an answer that can’t count is rejected at once, recorded with the reason, and never sent', () => {
  test.each([
    { what: 'by a person in no group', as: 'mallory', body: approve, status: 403, because: 'mallory is in none of the groups' },
    { what: 'by the requester', as: 'ada', body: approve, status: 403, because: 'ada asked for the run' },
    { what: 'about another plan', as: 'grace', body: { ...approve, digest: 'e'.repeat(64) }, status: 409, because: 'another plan' },
    { what: 'to an opening that is not there', as: 'grace', body: { ...approve, opening: 2 }, status: 409, because: 'not being asked' },
    { what: 'to a step that asks nothing', as: 'grace', body: { ...approve, approval: 'first' }, status: 409, because: 'not being asked' },
    {
      what: 'with a choice that is not offered',
      as: 'grace',
      body: { ...approve, choice: 'retry' },
      status: 409,
      because: 'one of the choices',
    },
    {
      what: 'that takes back what was never given',
      as: 'grace',
      body: { ...approve, choice: 'withdraw' },
      status: 409,
      because: 'given no answer',
    },
    {
      what: 'that is a cancel of a step',
      as: 'grace',
      body: { ...approve, choice: 'cancel', reason: 'no' },
      status: 409,
      because: 'one of the choices',
    },
  ])('$what', async ({ as, body, status, because }) => {
    const api = await place.begin();
    const { id } = await asking(api);
    const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as, body });
    expect(answer.status).toBe(status);
    expect(problemIn(answer).detail).toContain(because);
    expect(api.temporal.messages).toEqual([]);
    expect((await api.control.runs.detail(id))?.decisions).toMatchObject([
      { person: as, counts: false, because: expect.stringContaining(because) },
    ]);
    expect(await api.control.questions.undelivered(0)).toEqual([]);
  });

  test('a cancel by a person who may not, and one past the point of no return', async () => {
    const api = await place.begin();
    const { run, id } = await asking(api);
    const cancel = async (as: string) => await api.call('POST', `/v1/runs/${id}/cancel`, { as, body: { reason: 'no' } });
    expect((await cancel('mallory')).status).toBe(403);
    await passNoReturn(api, run);
    const late = await cancel('grace');
    expect(late.status).toBe(409);
    expect(problemIn(late).detail).toContain('point of no return');
    expect(api.temporal.messages).toEqual([]);
  });

  test('the same person again; but not while an answer of theirs waits to be judged', async () => {
    const api = await place.begin();
    const { id } = await asking(api);
    const say = async (choice: string) => await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: { ...approve, choice } });
    const { body } = await say('approve');
    await api.control.questions.judge(String(body['decision']), { counts: true, because: 'counts' });
    expect((await say('approve')).status).toBe(409);
    api.temporal.judgement = null;
    expect((await say('withdraw')).status).toBe(202);
    // The run judges them in order: by then the first one is taken back.
    expect((await say('approve')).status).toBe(202);
    expect(api.temporal.messages.map((one) => one.choice)).toEqual(['approve', 'withdraw', 'approve']);
  });

  test('as often as the limit allows; then a 429 that leaves no row, and other people are heard', async () => {
    const api = await place.begin();
    const { id } = await asking(api);
    const say = async (as: string) => await api.call('POST', `/v1/runs/${id}/decisions`, { as, body: approve });
    for (let count = 0; count < 20; count += 1) expect((await say('mallory')).status).toBe(403);
    const over = await say('mallory');
    expect(over.status).toBe(429);
    expect(problemIn(over)).toMatchObject({ code: 'too-many-answers' });
    expect((await api.control.runs.detail(id))?.decisions).toHaveLength(20);
    expect((await say('grace')).status).toBe(200);
  });
});

test('without a worker it is recorded and delivered, and answered with 202', async () => {
  const api = await place.begin();
  const { id } = await asking(api);
  api.temporal.judgement = null;
  const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: approve });
  expect(answer).toMatchObject({ status: 202, body: { counts: null } });
  expect(await api.control.questions.decision(String(answer.body['decision']))).toMatchObject({ counts: null });
});

test.each(['reject', 'skip', 'mark-done', 'roll-back', 'abort', 'cancel'])('to %s needs a reason', async (choice) => {
  const api = await place.begin();
  const { id } = await asking(api);
  const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: { ...approve, choice } });
  expect(answer.status).toBe(422);
  expect(problemIn(answer).problems[0]?.path).toBe('body.reason');
  expect(api.temporal.messages).toEqual([]);
});

test('a late decision is refused, and the refusal is recorded', async () => {
  const api = await place.begin();
  const { run, id } = await asking(api);
  await api.control.runs.close(run, { outcome: 'refused', because: 'it expired', free: true });
  const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: approve });
  expect(answer.status).toBe(409);
  expect(problemIn(answer).detail).toContain('the run has closed');
  expect((await api.control.runs.detail(id))?.decisions).toMatchObject([{ person: 'grace', counts: false }]);
  expect(api.temporal.messages).toEqual([]);
});

describe('S3: a fault on the way is no judgement: the answer is recorded, open, and sent again', () => {
  const faults = {
    'Temporal does not answer': new Failure('temporal-unavailable', 'the connection was lost'),
    'Temporal does not find the workflow, and the run’s row is open': new Failure('not-found', 'no open workflow'),
    'something unknown': new Failure('internal', 'nobody knows'),
  };
  test.each(Object.entries(faults))('%s', async (_, fault) => {
    const api = await place.begin();
    const { id } = await asking(api);
    api.temporal.judgement = fault;
    const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: approve });
    expect(answer).toMatchObject({ status: 202, body: { counts: null, because: expect.stringContaining('do not answer again') } });
    const [undelivered] = await api.control.questions.undelivered(0);
    expect(undelivered).toMatchObject({ person: 'grace', counts: null });
    expect(await api.control.events.list({ run: undelivered?.run ?? '', limit: 100 })).not.toContainEqual(
      expect.objectContaining({ kind: 'decision.judged' }),
    );
  });

  test('Temporal does not find the workflow, and the run’s row is closed by then: it came too late', async () => {
    const api = await place.begin();
    const { run, id } = await asking(api);
    api.temporal.decide = async () => {
      await api.control.runs.close(run, { outcome: 'refused', free: true });
      throw new Failure('not-found', 'no open workflow');
    };
    const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: approve });
    expect(answer.status).toBe(409);
    expect((await api.control.runs.detail(id))?.decisions).toMatchObject([{ counts: false, because: 'the run has closed (refused)' }]);
  });
});

test('when the run judged it before the connection broke, its judgement stands', async () => {
  const api = await place.begin();
  const { id } = await asking(api);
  api.temporal.decide = async (_, message) => {
    await api.control.questions.judge(message.decisionId, { counts: true, because: 'everybody agreed' });
    throw new Failure('temporal-unavailable', 'the answer was lost');
  };
  const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: approve });
  expect(answer).toMatchObject({ status: 200, body: { counts: true, because: 'everybody agreed' } });
});

test('a cancel is a decision about the whole run', async () => {
  const api = await place.begin();
  const { id } = await asking(api);
  const answer = await api.call('POST', `/v1/runs/${id}/cancel`, { as: 'grace', body: { reason: 'wrong database' } });
  expect(answer.status).toBe(200);
  expect(api.temporal.messages).toMatchObject([{ approval: 'run', opening: 0, digest: '', choice: 'cancel' }]);
  expect((await api.call('POST', `/v1/runs/${id}/cancel`, { as: 'grace', body: {} })).status).toBe(400);
});
