import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createLogger } from '../../api/logger.ts';
import { buildApp } from '../../api/server.ts';
import { createControl } from '../../control/control.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';
import { apiPlace, newRun, problemIn } from './place.ts';

const place = apiPlace();
const json = { 'content-type': 'application/json', 'idempotency-key': 'k' };
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

test.each([
  ['malformed', '{"runbook":', 400],
  ['empty', '', 400],
  ['an array', '[]', 400],
  ['a prototype', '{"runbook":"rehearsal","database":"orders","input":{"__proto__":{"x":1}}}', 400],
  ['a constructor', '{"runbook":"rehearsal","database":"orders","input":{"constructor":{"prototype":{"x":1}}}}', 400],
  ['too deep', `{"runbook":"rehearsal","database":"orders","input":${nested(1_000)}}`, 400],
  ['very deep', `{"runbook":"rehearsal","database":"orders","input":${nested(20_000)}}`, 400],
  ['NUL', '{"runbook":"rehearsal","database":"orders","input":{"word":"a\\u0000b"}}', 400],
  ['NUL in a key', '{"runbook":"rehearsal","database":"orders","input":{"wo\\u0000rd":"ab"}}', 400],
  ['half a character', '{"runbook":"rehearsal","database":"orders","input":{"word":"\\ud800x"}}', 400],
  ['unknown fields', '{"runbook":"rehearsal","database":"orders","input":{},"admin":true}', 400],
  ['a path for a name', '{"runbook":"../rehearsal","database":"orders","input":{}}', 400],
  ['a list of 100,000', `{"runbook":"rehearsal","database":"orders","input":{"word":[${'1,'.repeat(100_000)}1]}}`, 400],
  ['too large', JSON.stringify({ ...newRun, input: { word: 'x'.repeat(300_000) } }), 413],
])('H2: a body that is %s is refused as a problem', async (_, raw, status) => {
  const api = await place.begin();
  const answer = await api.call('POST', '/v1/runs', { as: 'ada', raw, headers: json });
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  expect(problemIn(answer).code).toBe(status === 413 ? 'body-too-large' : 'body-invalid');
  expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:\d|at async/);
  expect(await api.control.runs.list({ limit: 1 })).toEqual([]);
});

test.each([
  ['GET', '/v1/runs/%zz', 400],
  ['GET', '/v1/runs/%00', 400],
  ['GET', '/v1/runs/1;DROP', 400],
  ['GET', `/v1/runs/${'7'.repeat(26)}`, 404],
  ['GET', '/v1/runs?database=%00', 400],
  ['GET', '/v1/runs?limit=1e9', 400],
  ['GET', '/v1/runs?limit=1e1', 400],
  ['GET', '/v1/runs?limit=', 400],
  ['GET', '/v1/events?after=', 400],
  ['GET', '/v1/events?after=-1', 400],
  ['GET', '/v1/runs?limit=2&limit=3', 400],
  ['GET', '/v1/findings/..%2f..%2fetc', 400],
  ['GET', `/v1/${'a/'.repeat(50)}`, 404],
  ['GET', '/v1/nothing', 404],
  ['GET', '/nothing?token=sh_secret_value', 404],
  ['POST', '/healthz', 404],
] as const)('%s %s is refused as a problem with %i', async (method, url, status) => {
  const api = await place.begin();
  const answer = await api.call(method, url, { as: 'ada' });
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  expect(problemIn(answer).detail).not.toContain('sh_secret_value');
});

const text = 'http.a.a-a+'.repeat(20_000);

test.each([
  ['a field', { ...newRun, [text]: 1 }],
  ['a field of the input', { ...newRun, input: { word: 'hello', [text]: 1 } }],
  ['a field in a field', { ...newRun, input: { word: { [text]: { [text.slice(0, 9_000)]: 1 } } } }],
  ['a value', { ...newRun, database: text }],
  ['a value of the input', { ...newRun, input: { word: text } }],
])('%s of 220 kB is not repeated, and takes no long time', async (_, body) => {
  const api = await place.begin({ rehearsal: { ...rehearsal, input: z.strictObject({ word: z.string().max(20) }) } });
  await api.tokenOf('ada');
  const begin = performance.now();
  const answer = await api.call('POST', '/v1/runs', { as: 'ada', body, headers: { 'idempotency-key': 'k' } });
  // It takes 10 ms; the redaction of all of it took a minute.
  expect(performance.now() - begin).toBeLessThan(2_000);
  expect([400, 422]).toContain(answer.status);
  expect(JSON.stringify(answer.body).length).toBeLessThan(3_000);
});

test('of very many problems the first are listed, and the number of the others', async () => {
  const api = await place.begin({ rehearsal: { ...rehearsal, input: z.object({ word: z.array(z.string()) }) } });
  const body = { ...newRun, input: { word: Array.from({ length: 1_000 }, () => 1) } };
  const answer = await api.call('POST', '/v1/runs', { as: 'ada', body, headers: { 'idempotency-key': 'k' } });
  expect(answer.status).toBe(422);
  expect(problemIn(answer).problems).toHaveLength(20);
  expect(problemIn(answer).detail).toMatch(/^1000 problems in .* and 980 more$/);
});

test('a body has 2,000 values at most; the payloads of a history are more', async () => {
  const api = await place.begin({ rehearsal: { ...rehearsal, input: z.object({ word: z.array(z.int()) }) } });
  // Four values are around the list: three fields of the body, one of the input.
  const ask = async (values: number) => {
    const body = { ...newRun, input: { word: Array.from({ length: values - 4 }, () => 1) } };
    return await api.call('POST', '/v1/runs', { as: 'ada', body, headers: { 'idempotency-key': 'k' } });
  };
  const over = await ask(2_001);
  expect(over.status).toBe(400);
  expect(problemIn(over)).toMatchObject({ code: 'body-invalid', detail: 'the body has more than 2000 values' });
  expect((await ask(2_000)).status).toBe(202);
  const payloads = Array.from({ length: 1_999 }, () => ({ metadata: { encoding: 'anNvbg==' }, data: 'MQ==' }));
  const decode = async (more: object[]) =>
    problemIn(await api.call('POST', '/codec/decode', { as: 'ada', body: { payloads: [...payloads, ...more] } })).code;
  // No payloads are encrypted here: that is found after the body was taken.
  expect(await decode([])).toBe('not-found');
  expect(await decode(payloads)).toBe('body-invalid');
});

test('a long path is not repeated: not in the answer, not in the log', async () => {
  const api = await place.begin();
  const lines: string[] = [];
  const to = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const app = await buildApp(api.parts, createLogger('info', to));
  for (const url of [
    `/${text.slice(0, 14_000)}`,
    `/v1/runs/%zz${text.slice(0, 14_000)}`,
    `/v1/runs?x=sh_0123456789ab_secret&${text.slice(0, 14_000)}`,
  ]) {
    const answer = await app.inject({ method: 'GET', url });
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(answer.body.length).toBeLessThan(2_000);
  }
  await app.close();
  expect(lines.length).toBeGreaterThanOrEqual(5);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1_000);
  expect(lines.join('')).not.toContain('secret');
});

test.each([
  ['/v1/runs', 401],
  ['/v1/nothing', 404],
  ['/nothing', 404],
] as const)('without a token no body is read at %s', async (url, status) => {
  const api = await place.begin();
  for (const raw of ['{"broken":', `{"a":"${'x'.repeat(300_000)}"}`]) {
    const answer = await api.call('POST', url, { raw, headers: json });
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  }
});

test('another content type than JSON is refused', async () => {
  const api = await place.begin();
  for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded']) {
    const answer = await api.call('POST', '/v1/runs', {
      as: 'ada',
      raw: JSON.stringify(newRun),
      headers: { ...json, 'content-type': type },
    });
    expect(answer.status).toBe(415);
    expect(problemIn(answer).code).toBe('media-type-unsupported');
  }
});

test('an error that nobody foresaw keeps its text to the log', async () => {
  const api = await place.begin();
  api.parts.planner.plan = () => Promise.reject(new Error('connect postgres://admin:hunter2@10.0.0.1/x'));
  const answer = await api.call('POST', '/v1/plans', { as: 'ada', body: newRun });
  expect(answer.status).toBe(500);
  expect(problemIn(answer).code).toBe('internal');
  expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|10\.0\.0\.1/);
});

test('when the control database is gone, it says so with 503', async () => {
  const api = await place.begin();
  const control = createControl({ connectionString: 'postgres://nobody:hunter2@127.0.0.1:1/none', applicationName: 'api tests' });
  const app = await buildApp({ ...api.parts, control });
  const answer = await app.inject({ method: 'GET', url: '/v1/databases', headers: { authorization: 'Bearer sh_abc_def' } });
  await app.close();
  await control.close();
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('5');
  expect(answer.json()).toMatchObject({ code: 'control-database-unavailable', retryable: true });
  expect(answer.body).not.toContain('hunter2');
});
