import { expect, test } from 'vitest';
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
    choices: ['approve', 'reject'],
    quorum,
  });
  return { run, id };
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

test('a refused decision is a 409 with what the person is told', async () => {
  const api = await place.begin();
  const { id } = await asking(api);
  api.temporal.judgement = { counts: false, because: 'ada asked for the run' };
  const answer = await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'ada', body: approve });
  expect(answer.status).toBe(409);
  expect(problemIn(answer).detail).toContain('ada asked for the run');
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

test('S3: with Temporal down before the row nothing is recorded; lost on the way it is recorded as refused', async () => {
  const api = await place.begin();
  const { id } = await asking(api);
  api.temporal.down = true;
  expect((await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: approve })).status).toBe(503);
  expect((await api.control.runs.detail(id))?.decisions).toEqual([]);
  api.temporal.down = false;
  api.temporal.judgement = new Failure('temporal-unavailable', 'the connection was lost');
  expect((await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body: approve })).status).toBe(503);
  expect((await api.control.runs.detail(id))?.decisions).toMatchObject([{ counts: false, because: 'the connection was lost' }]);
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
