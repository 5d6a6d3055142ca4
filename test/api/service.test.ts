import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createRateLimit } from '../../api/rate-limit.ts';
import { createRefusalLimit } from '../../api/refusal-limit.ts';
import { buildApp } from '../../api/server.ts';
import { createControl } from '../../control/control.ts';
import { createSweepers } from '../../api/sweepers.ts';
import { eventually } from '../support/eventually.ts';
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

test('who tries tokens is told to wait, and tokens are not looked at; those that were good go on, from another address all do', async () => {
  const api = await place.begin();
  let time = 0;
  const looked: string[] = [];
  const tokens = { ...api.control.tokens, check: (token: string) => (looked.push(token), api.control.tokens.check(token)) };
  const refusals = createRefusalLimit(3, () => time);
  const app = await buildApp({ ...api.parts, control: { ...api.control, tokens }, refusals, proxies: ['127.0.0.1'] });
  const ask = async (token: string, address: string): Promise<Awaited<ReturnType<typeof app.inject>>> =>
    await app.inject({ url: '/v1/databases', headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address } });
  const [ada, grace] = [await api.tokenOf('ada'), await api.tokenOf('grace')];
  expect((await ask(ada, '192.0.2.7')).statusCode).toBe(200);
  for (let count = 0; count < 3; count += 1) expect((await ask(`sh_0_${count}`, '192.0.2.7')).statusCode).toBe(401);
  looked.length = 0;
  const refused = await ask('sh_0_4', '192.0.2.7');
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '20']);
  expect(refused.json()).toMatchObject({ code: 'rate-limited', facts: { address: '192.0.2.7', perMinute: 3 } });
  expect((await ask(grace, '192.0.2.7')).statusCode).toBe(429);
  expect(looked).toEqual([]);
  expect((await ask(ada, '192.0.2.7')).statusCode).toBe(200);
  expect((await ask(grace, '192.0.2.8')).statusCode).toBe(200);
  expect((await ask(grace, '192.0.2.7')).statusCode).toBe(200);
  expect((await metrics({ app })).text).toMatch(/^steadyhand_tokens_refused_total 5$/m);
  time = 20_000;
  expect((await ask('sh_0_4', '192.0.2.7')).statusCode).toBe(401);
  expect((await ask('sh_0_4', '192.0.2.7')).statusCode).toBe(429);
  await app.close();
});

test('a token that was good and is revoked is refused as an unknown one', async () => {
  const api = await place.begin();
  const app = await buildApp({ ...api.parts, refusals: createRefusalLimit(1, () => 0) });
  const { token, row } = await api.token({ person: 'ada' });
  const ask = async (): Promise<number> =>
    (await app.inject({ url: '/v1/databases', headers: { authorization: `Bearer ${token}` } })).statusCode;
  expect(await ask()).toBe(200);
  await api.control.tokens.revoke(row.id, { kind: 'person', name: 'root', channel: 'host' });
  expect([await ask(), await ask()]).toEqual([401, 429]);
  await app.close();
});

test('X-Forwarded-For of somebody who is no proxy of ours is not believed', async () => {
  const api = await place.begin();
  const app = await buildApp({ ...api.parts, refusals: createRefusalLimit(1, () => 0), proxies: ['192.0.2.0/24'] });
  const ask = async (address: string): Promise<number> =>
    (await app.inject({ url: '/v1/runs', headers: { authorization: 'Bearer sh_0_x', 'x-forwarded-for': address } })).statusCode;
  expect([await ask('198.51.100.1'), await ask('198.51.100.2')]).toEqual([401, 429]);
  await app.close();
});

test('readiness: without workers it is ready and says so', async () => {
  const api = await place.begin();
  expect((await api.call('GET', '/readyz')).body).toEqual({ ready: true, degraded: [] });
  api.temporal.idle = [{ queue: 'steadyhand-long', work: 'activities' }];
  // An answer serves for a second.
  const answer = await eventually(async () => {
    const seen = await api.call('GET', '/readyz');
    return JSON.stringify(seen.body).includes('steadyhand-long') ? seen : undefined;
  });
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
  const refused = await eventually(async () => {
    const seen = await api.call('GET', '/readyz');
    return seen.status === 503 ? seen : undefined;
  });
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
    'steadyhand_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="none",status="404"} 1',
  ])
    expect(text.split('\n')).toContain(line);
  expect(text).toMatch(/^steadyhand_question_age_seconds\{kind="approval"\} [\d.]+$/m);
  for (const line of text.split('\n').filter((one) => one !== ''))
    expect(line).toMatch(/^(?:# (?:HELP|TYPE) \S+ .+|[a-z_]+(?:\{[^{}]+\})? [\d.e+-]+)$/);
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

test('a sweeper that does not succeed any more is visible within a minute, with what is not done; until then it is not', async () => {
  const api = await place.begin();
  let now = 1_000_000;
  const sweepers = createSweepers(() => now);
  const reconciled = sweepers.begin('reconcile', 'runs stay open');
  const started = sweepers.begin('start-unstarted', 'runs do not start');
  reconciled(true);
  const seen = async (): Promise<{ ready: unknown; text: string }> => {
    const app = await buildApp({ ...api.parts, sweepers });
    const ready: unknown = (await app.inject({ url: '/readyz' })).json();
    const { text } = await metrics({ app });
    await app.close();
    return { ready, text };
  };
  now += 30_000;
  started(true);
  reconciled(false);
  expect((await seen()).ready).toEqual({ ready: true, degraded: [] });
  now += 29_000;
  const { ready, text } = await seen();
  expect(ready).toEqual({
    ready: true,
    degraded: [{ what: 'sweepers', because: 'the sweeper reconcile has not succeeded for 59 s: runs stay open' }],
  });
  for (const line of [
    'steadyhand_sweeper_last_success_timestamp_seconds{sweeper="reconcile"} 1000',
    'steadyhand_sweeper_last_success_timestamp_seconds{sweeper="start-unstarted"} 1030',
    'steadyhand_sweeper_failures_total{sweeper="reconcile"} 1',
    'steadyhand_sweeper_failures_total{sweeper="start-unstarted"} 0',
  ])
    expect(text.split('\n')).toContain(line);
});

test('readiness and metrics ask nobody again for those who ask within a second', async () => {
  const api = await place.begin();
  let asked = 0;
  const counted =
    <Result>(call: () => Promise<Result>): (() => Promise<Result>) =>
    () => ((asked += 1), call());
  const control = {
    ...api.control,
    ping: counted(api.control.ping),
    schemaGap: counted(api.control.schemaGap),
    counts: counted(api.control.counts),
  };
  const temporal = { ...api.temporal, ready: counted(api.temporal.ready), unpolled: counted(api.temporal.unpolled) };
  const app = await buildApp({ ...api.parts, control, temporal });
  const began = performance.now();
  for (let round = 0; round < 20; round += 1)
    await Promise.all(['/readyz', '/metrics', '/readyz', '/metrics'].map((url) => app.inject({ url })));
  const seconds = Math.floor((performance.now() - began) / 1_000) + 1;
  // Of readiness: ping, ready, the schema, the workers; of the metrics: the counts, the workers.
  expect(asked).toBeGreaterThanOrEqual(6);
  expect(asked).toBeLessThanOrEqual(6 * seconds);
  await app.close();
});
