import pg from 'pg';
import { afterEach, expect, test, vi } from 'vitest';
import { buildApp } from '../../api/server.ts';
import type { Control } from '../../control/contract.ts';
import { eventually } from '../support/eventually.ts';
import { apiPlace, newRun, type ApiTest } from './place.ts';

// A request waits for each statement in turn. What the answer does not depend on is written after it.

const place = apiPlace();
const digest = 'd'.repeat(64);
afterEach(() => vi.restoreAllMocks());

/** The functions of the control database that were called since, in this order. */
function recordStatements(): () => string[] {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  // The driver takes a text, or an object with one.
  const textOf = (one: unknown): string => (typeof one === 'string' ? one : String(Reflect.get(Object(one), 'text')));
  return () =>
    query.mock.calls
      .map(([one]) => textOf(one))
      .filter((text) => text !== 'SET jit = off')
      .map((text) => /steadyhand\.(\w+)\(/.exec(text)?.[1] ?? text);
}

async function asking(api: ApiTest): Promise<string> {
  const { run, id } = await api.run();
  const quorum = [{ group: 'dba', count: 1 }];
  await api.control.questions.open({ run, approval: 'agree', opening: 1, kind: 'approval', digest, choices: ['approve'], quorum });
  return id;
}

test('a request for a run takes two statements until its workflow is started, and an answer three until it is sent', async () => {
  const api = await place.begin();
  const id = await asking(api);
  await api.tokenOf('grace');
  // The token's use is noted once a minute.
  await api.call('GET', '/v1/databases', { as: 'ada' });
  await api.call('GET', '/v1/databases', { as: 'grace' });
  const statements = recordStatements();
  const sent: Record<string, string[]> = {};
  const { start, decide } = api.temporal;
  api.temporal.start = async (request) => {
    sent['start'] = statements();
    await start(request);
  };
  api.temporal.decide = async (run, message) => {
    sent['decide'] = statements();
    return await decide(run, message);
  };
  await api.call('POST', '/v1/runs', { as: 'ada', body: newRun, headers: { 'idempotency-key': 'k' } });
  expect(sent['start']).toEqual(['valid_token', 'admit_request']);
  await eventually(async () => await Promise.resolve(statements().length > 2 ? true : undefined));
  vi.mocked(pg.Client.prototype).query.mockClear();
  const body = { approval: 'agree', opening: 1, digest, choice: 'approve' };
  expect((await api.call('POST', `/v1/runs/${id}/decisions`, { as: 'grace', body })).status).toBe(200);
  expect(sent['decide']).toEqual(['valid_token', 'answer_context', 'decide']);
});

/** What is written after the answer is never written. */
function withoutAfterwards(control: Control): Control {
  const never = async (): Promise<void> => await new Promise(() => undefined);
  return {
    ...control,
    requests: { ...control.requests, started: never },
    questions: { ...control.questions, delivered: never },
  };
}

test('the answer waits for none of what a sweeper mends: that a workflow was started, that an answer arrived', async () => {
  const api = await place.begin();
  const id = await asking(api);
  const app = await buildApp({ ...api.parts, control: withoutAfterwards(api.control) });
  const post = async (as: string, url: string, payload: object): Promise<number> => {
    const headers = { authorization: `Bearer ${await api.tokenOf(as)}`, 'idempotency-key': 'other' };
    return (await app.inject({ method: 'POST', url, headers, payload })).statusCode;
  };
  expect(await post('ada', '/v1/runs', newRun)).toBe(202);
  const decision = { approval: 'agree', opening: 1, digest, choice: 'approve' };
  expect(await post('grace', `/v1/runs/${id}/decisions`, decision)).toBe(200);
  expect(await api.control.requests.unstarted(0)).toHaveLength(1);
  expect(await api.control.questions.undelivered(0)).toHaveLength(1);
  await app.close();
});

test('a route that needs the run’s row alone reads no more of it', async () => {
  const api = await place.begin();
  const { id } = await api.run();
  const statements = recordStatements();
  expect((await api.call('GET', `/v1/runs/${id}/events`, { as: 'ada' })).status).toBe(200);
  expect((await api.call('GET', `/v1/events?run=${id}`, { as: 'ada' })).status).toBe(200);
  expect((await api.call('GET', `/v1/runs/${id}/plan`, { as: 'ada' })).status).toBe(404);
  const freeze = 'freeze_for';
  expect(statements()).not.toContain(freeze);
  // The whole run, which this test would see.
  expect((await api.call('GET', `/v1/runs/${id}`, { as: 'ada' })).status).toBe(200);
  expect(statements()).toContain(freeze);
});
