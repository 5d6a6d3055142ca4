import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createRateLimit } from '../../api/rate-limit.ts';
import { buildApp } from '../../api/server.ts';
import { createControl } from '../../control/control.ts';
import { apiPlace, newRun, problemIn, type ApiTest } from './place.ts';

const place = apiPlace();
const digest = 'd'.repeat(64);

async function metrics({ app }: Pick<ApiTest, 'app'>): Promise<{ type: string; text: string }> {
  const answer = await app.inject({ method: 'GET', url: '/metrics' });
  expect(answer.statusCode).toBe(200);
  return { type: String(answer.headers['content-type']), text: answer.body };
}

test('H5: a token that asks too often is told to wait, and others are not', async () => {
  const api = await place.begin();
  let time = 0;
  const app = await buildApp({ ...api.parts, limit: createRateLimit(0.5, () => time) });
  const ask = async (person: string): Promise<Awaited<ReturnType<typeof app.inject>>> =>
    await app.inject({ method: 'GET', url: '/v1/databases', headers: { authorization: `Bearer ${await api.tokenOf(person)}` } });
  for (let count = 0; count < 5; count += 1) expect((await ask('ada')).statusCode).toBe(200);
  const refused = await ask('ada');
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['retry-after']).toBe('2');
  expect(refused.headers['content-type']).toContain('application/problem+json');
  expect(refused.json()).toMatchObject({ code: 'rate-limited', type: '/problems/rate-limited', retryable: true });
  expect((await ask('grace')).statusCode).toBe(200);
  time = 1_999;
  expect((await ask('ada')).statusCode).toBe(429);
  time = 2_000;
  expect((await ask('ada')).statusCode).toBe(200);
  expect((await ask('ada')).statusCode).toBe(429);
  await app.close();
});

test('readiness: without workers it is ready and says so', async () => {
  const api = await place.begin();
  expect((await api.call('GET', '/readyz')).body).toEqual({ ready: true, degraded: [] });
  api.temporal.idle = [{ queue: 'steadyhand-long', work: 'activities' }];
  const answer = await api.call('GET', '/readyz');
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ degraded: [{ what: 'workers', because: expect.stringContaining('steadyhand-long (activities)') }] });
});

test('readiness: a schema that lacks a migration is refused, one that is newer is told', async () => {
  const api = await place.begin();
  await api.superuser("INSERT INTO steadyhand.migrations (name, checksum) VALUES ('9999-later.sql', 'x')");
  expect((await api.call('GET', '/readyz')).body).toMatchObject({
    degraded: [{ what: 'schema', because: expect.stringContaining('9999-later.sql') }],
  });
  await api.superuser("UPDATE steadyhand.migrations SET checksum = 'other' WHERE name = '0002-runs.sql'");
  const refused = await api.call('GET', '/readyz');
  expect(refused.status).toBe(503);
  expect(problemIn(refused)).toMatchObject({ code: 'schema-outdated', detail: expect.stringContaining('0002-runs.sql') });
});

test('metrics count what is there, without a name of a person or a ticket, or of a database but for its proofs', async () => {
  const api = await place.begin();
  const { run } = await api.run();
  const question = { run, approval: 'agree', opening: 1, kind: 'approval', digest, choices: ['approve', 'reject'] } as const;
  await api.control.questions.open({ ...question, quorum: [{ group: 'dba', count: 1 }] });
  await api.control.lease.take('orders', run, () => Promise.resolve(true));
  api.temporal.refuseStart = true;
  await api.run();
  api.temporal.idle = [{ queue: 'steadyhand', work: 'workflows' }];
  await api.call('GET', '/v1/nothing/of/the/sort', { as: 'ada' });
  const { type, text } = await metrics(api);
  expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
  for (const line of [
    'steadyhand_up{part="control-database"} 1',
    'steadyhand_runs{state="requested"} 2',
    'steadyhand_runs{state="parked"} 0',
    'steadyhand_runs_closed{outcome="succeeded"} 0',
    'steadyhand_questions{kind="approval"} 1',
    'steadyhand_leases{state="held"} 1',
    'steadyhand_leases{state="orphaned"} 0',
    'steadyhand_unstarted 1',
    'steadyhand_unpolled{queue="steadyhand",work="workflows"} 1',
    'steadyhand_http_request_duration_seconds_count{method="POST",route="/v1/runs",status="202"} 2',
    'steadyhand_http_request_duration_seconds_bucket{method="GET",route="none",status="404",le="+Inf"} 1',
  ])
    expect(text.split('\n')).toContain(line);
  expect(text).toMatch(/^steadyhand_question_age_seconds\{kind="approval"\} [\d.]+$/m);
  for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^(?:# (?:HELP|TYPE) \S+ .+|[a-z_]+(?:\{[^{}]+\})? [\d.e+-]+)$/);
  // The one metric that is of a database: whether it was proved that it can be restored.
  const proved = /^steadyhand_last_proved_restore_timestamp_seconds\{database="orders"\} 0$/m;
  expect(text).toMatch(proved);
  expect(text.replace(proved, '')).not.toMatch(/\bada\b|grace|orders|sort/);
});

test('metrics are told when the control database and Temporal are gone, too', async () => {
  const api = await place.begin();
  const control = createControl({ connectionString: 'postgres://nobody:hunter2@127.0.0.1:1/none', applicationName: 'api tests' });
  const app = await buildApp({ ...api.parts, control });
  api.temporal.down = true;
  const { text } = await metrics({ app });
  expect(text).toContain('steadyhand_up{part="control-database"} 0\nsteadyhand_up{part="temporal"} 0\n');
  expect(text).not.toContain('hunter2');
  await app.close();
  await control.close();
});

test.each([
  ['garbage', 'GARBAGE\r\n\r\n'],
  ['headers that are too large', `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`],
])('H2: %s in place of a request is refused as a problem', async (_, bytes) => {
  const api = await place.begin();
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  const address = api.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(address.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('application/problem+json');
  expect(answer).toContain('"code":"body-invalid"');
  expect(answer).not.toMatch(/node_modules|\.ts:\d/);
});

test('H2: a body that is too large or no JSON has a code of its own', async () => {
  const api = await place.begin();
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' };
  const large = JSON.stringify({ ...newRun, input: { word: 'x'.repeat(300_000) } });
  expect(problemIn(await api.call('POST', '/v1/runs', { as: 'ada', raw: large, headers })).code).toBe('body-too-large');
  const xml = { ...headers, 'content-type': 'application/xml' };
  expect(problemIn(await api.call('POST', '/v1/runs', { as: 'ada', raw: '<run/>', headers: xml })).code).toBe('media-type-unsupported');
});
