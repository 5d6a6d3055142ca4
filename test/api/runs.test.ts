import { expect, test } from 'vitest';
import { parseInventory } from '../../domain/inventory.ts';
import { eventually } from '../support/eventually.ts';
import { apiPlace, aPlan, newRun, problemIn, type Answer } from './place.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';

const place = apiPlace();

test('a request is written down, started, and answered with 202 and its place', async () => {
  const api = await place.begin();
  const answer = await api.call('POST', '/v1/runs', {
    as: 'ada',
    body: { ...newRun, ticket: 'OPS-7' },
    headers: { 'idempotency-key': 'k1' },
  });
  expect(answer.status).toBe(202);
  const { run, id, location } = answer.body;
  expect(run).toBe(`rehearsal/orders/${String(id)}`);
  expect(answer.headers['location']).toBe(location);
  expect(api.temporal.started).toEqual([run]);
  const detail = await api.call('GET', String(location), { as: 'grace' });
  expect(detail.body).toMatchObject({ run, state: 'requested', requester: 'ada', ticket: 'OPS-7', input: newRun.input, steps: [] });
  await eventually(async () => ((await api.control.requests.unstarted(0)).length === 0 ? true : undefined));
});

test('H1: a key finds the same run for the same request, refuses another one, and is its person’s own', async () => {
  const api = await place.begin();
  const first = await api.run('k1');
  const again = await api.call('POST', '/v1/runs', { as: 'ada', body: newRun, headers: { 'idempotency-key': 'k1' } });
  expect(again).toMatchObject({ status: 202, body: { ...first, created: false } });
  const other = await api.call('POST', '/v1/runs', { as: 'ada', body: { ...newRun, ticket: 'T' }, headers: { 'idempotency-key': 'k1' } });
  expect(problemIn(other).code).toBe('idempotency-key-reused');
  expect(other.status).toBe(422);
  const grace = await api.call('POST', '/v1/runs', { as: 'grace', body: newRun, headers: { 'idempotency-key': 'k1' } });
  expect(grace).toMatchObject({ status: 202, body: { created: true } });
});

test('H1: asked twenty times at once with one key, there is one run', async () => {
  const api = await place.begin();
  await api.tokenOf('ada');
  const runs = await Promise.all(Array.from({ length: 20 }, () => api.run('same')));
  expect(new Set(runs.map((one) => one.run)).size).toBe(1);
  expect(await api.control.runs.list({ limit: 10 })).toHaveLength(1);
});

test('H1: a key finds its run after it has closed, with Temporal down, and when the person may ask no more', async () => {
  const api = await place.begin();
  api.temporal.refuseStart = true;
  const first = await api.run('k1');
  const ask = async (body: unknown): Promise<Answer> =>
    await api.call('POST', '/v1/runs', { as: 'ada', body, headers: { 'idempotency-key': 'k1' } });
  api.temporal.down = true;
  api.inventory = { ...api.inventory, people: [{ name: 'ada', groups: [], accounts: {} }] };
  expect(await ask(newRun)).toMatchObject({ status: 202, body: { ...first, created: false, state: 'requested' } });
  await api.control.runs.close(first.run, { outcome: 'refused', free: true });
  Object.assign(api.temporal, { down: false, refuseStart: false });
  expect(await ask(newRun)).toMatchObject({ status: 202, body: { ...first, created: false, state: 'closed' } });
  expect(problemIn(await ask({ ...newRun, input: { word: 'other' } })).code).toBe('idempotency-key-reused');
  expect(api.temporal.started).toEqual([]);
});

test('without an Idempotency-Key, or with an unreadable one, it is refused and named', async () => {
  const api = await place.begin();
  const missing = await api.call('POST', '/v1/runs', { as: 'ada', body: newRun });
  expect(missing.status).toBe(400);
  expect(problemIn(missing).problems).toEqual([{ path: 'headers.idempotency-key', message: expect.stringContaining('is needed') }]);
  const odd = await api.call('POST', '/v1/runs', { as: 'ada', body: newRun, headers: { 'idempotency-key': 'a b' } });
  expect(problemIn(odd).code).toBe('body-invalid');
});

test('a run that is to wait for the lease stands in line for as long as it was asked to, a day when no time was named', async () => {
  const api = await place.begin();
  const ask = async (wait: unknown): Promise<Answer> =>
    await api.call('POST', '/v1/runs', { as: 'ada', body: { ...newRun, wait }, headers: { 'idempotency-key': JSON.stringify(wait) } });
  const hours = async (id: unknown): Promise<number> => {
    const { deadline } = (await api.control.runs.detail(String(id)))?.waits ?? {};
    return Math.round((Date.parse(deadline ?? '') - Date.now()) / 3_600_000);
  };
  expect(await hours((await ask('2h')).body['id'])).toBe(2);
  expect(await hours((await ask(true)).body['id'])).toBe(24);
  for (const wrong of ['soon', '8d', '0s']) {
    expect(problemIn(await ask(wrong))).toMatchObject({ code: 'input-invalid', problems: [{ path: 'wait' }] });
  }
  expect(problemIn(await ask(false)).code).toBe('body-invalid');
  const listed = await api.call('GET', '/v1/runs?state=requested', { as: 'ada' });
  expect(listed.body['runs']).toMatchObject([{ waits: { place: 2, holder: null, state: 'free' } }, { waits: { place: 1 } }]);
});

test('who is in none of the requesters’ groups is told which they are; the owners’ group counts', async () => {
  const api = await place.begin();
  const refused = await api.call('POST', '/v1/runs', { as: 'mallory', body: newRun, headers: { 'idempotency-key': 'k' } });
  expect(refused.status).toBe(403);
  expect(problemIn(refused).detail).toContain('on-call, owners');
  expect(api.temporal.started).toEqual([]);
});

test('an input that does not fit is refused with every problem, an unknown runbook or database by its name', async () => {
  const api = await place.begin();
  const headers = { 'idempotency-key': 'k' };
  const input = await api.call('POST', '/v1/runs', { as: 'ada', body: { ...newRun, input: { word: 5, extra: true } }, headers });
  expect(input.status).toBe(422);
  expect(problemIn(input).problems.map((one) => one.path)).toContain('input.word');
  expect(problemIn(await api.call('POST', '/v1/runs', { as: 'ada', body: { ...newRun, runbook: 'dance' }, headers })).detail).toContain(
    'rehearsal',
  );
  expect(problemIn(await api.call('POST', '/v1/runs', { as: 'ada', body: { ...newRun, database: 'nope' }, headers })).code).toBe(
    'not-found',
  );
});

test('S2: while Temporal is down it answers 503 with Retry-After, and nothing is half made', async () => {
  const api = await place.begin();
  api.temporal.down = true;
  const answer = await api.call('POST', '/v1/runs', { as: 'ada', body: newRun, headers: { 'idempotency-key': 'k' } });
  expect(answer.status).toBe(503);
  expect(problemIn(answer).code).toBe('temporal-unavailable');
  expect(answer.headers['retry-after']).toBe('5');
  expect(await api.control.runs.list({ limit: 10 })).toEqual([]);
});

test('when the start fails after the row was written it is accepted all the same, and waits to be started', async () => {
  const api = await place.begin();
  api.temporal.refuseStart = true;
  const { run } = await api.run('k');
  expect(await api.control.requests.unstarted(0)).toMatchObject([{ run }]);
  api.temporal.refuseStart = false;
  await api.run('k');
  expect(api.temporal.started).toEqual([run]);
});

test('runs are listed newest first, page by page without a gap', async () => {
  const api = await place.begin();
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1) ids.unshift((await api.run()).id);
  const first = await api.call('GET', '/v1/runs?limit=2', { as: 'ada' });
  expect(first.body['next']).toBe(ids[1]);
  await api.run();
  const second = await api.call('GET', `/v1/runs?limit=3&before=${String(first.body['next'])}`, { as: 'ada' });
  expect(second.body['runs']).toMatchObject(ids.slice(2).map((id) => ({ run: `rehearsal/orders/${id}` })));
  expect((await api.call('GET', '/v1/runs?state=closed', { as: 'ada' })).body).toEqual({ runs: [], next: null });
  expect((await api.call('GET', '/v1/runs?state=dancing', { as: 'ada' })).status).toBe(400);
});

test('plan, events and findings of a run are read under it', async () => {
  const api = await place.begin();
  const { run, id } = await api.run();
  expect((await api.call('GET', `/v1/runs/${id}/plan`, { as: 'ada' })).status).toBe(404);
  await api.control.documents.put('plan', aPlan.digest, aPlan);
  await api.control.runs.planned(run, {
    digest: aPlan.digest,
    steps: [
      { id: 'look', kind: 'check', title: 'Look', applies: true },
      { id: 'skip', kind: 'change', title: 'Skip', applies: false, because: 'nothing is there' },
    ],
  });
  expect((await api.call('GET', `/v1/runs/${id.toLowerCase()}/plan`, { as: 'ada' })).body).toEqual(aPlan);
  const events = await api.call('GET', `/v1/runs/${id}/events?limit=1`, { as: 'ada' });
  expect(events.body['events']).toMatchObject([{ kind: 'run.requested', actor: { name: 'ada' } }]);
  expect((await api.call('GET', `/v1/findings/${aPlan.digest}`, { as: 'ada' })).body).toEqual(aPlan);
  expect((await api.call('GET', `/v1/findings/${'0'.repeat(64)}`, { as: 'ada' })).status).toBe(404);
});

test('what the provider of the database cannot do is rejected before there is a run, with the cause', async () => {
  const api = await place.begin({ rehearsal: { ...rehearsal, needs: () => ['restore', 'copy'] } });
  const answer = await api.call('POST', '/v1/runs', { as: 'ada', body: newRun, headers: { 'idempotency-key': 'k' } });
  expect(answer.status).toBe(422);
  expect(problemIn(answer)).toMatchObject({
    code: 'plan-impossible',
    detail:
      'rehearsal needs restore, copy; orders is run by the provider streaming, which has no restore, no copy; of the providers, rds can',
  });
  expect(await api.control.runs.list({ limit: 1 })).toEqual([]);
});

test('a plan is made without writing anything', async () => {
  const api = await place.begin();
  expect((await api.call('POST', '/v1/plans', { as: 'mallory', body: newRun })).body).toMatchObject({
    blocked: false,
    findings: [],
    plan: aPlan,
  });
  expect((await api.call('POST', '/v1/plans', { as: 'ada', body: { ...newRun, input: {} } })).status).toBe(422);
  expect(await api.control.runs.list({ limit: 1 })).toEqual([]);
});

test('H4: no token, a foreign one, a revoked one, and a person who left are refused', async () => {
  const api = await place.begin();
  const none = await api.call('GET', '/v1/runs');
  expect(none.status).toBe(401);
  expect(none.headers['www-authenticate']).toContain('Bearer');
  expect((await api.call('GET', '/v1/runs', { headers: { authorization: 'Bearer sh_nobody_nothing' } })).status).toBe(401);
  expect((await api.call('GET', '/v1/runs', { as: 'ada' })).status).toBe(200);
  const [row] = await api.control.tokens.list();
  await api.control.tokens.revoke(row?.id ?? '', { kind: 'person', name: 'root', channel: 'host' });
  expect((await api.call('GET', '/v1/runs', { as: 'ada' })).status).toBe(401);
  await api.tokenOf('grace');
  api.inventory = { ...api.inventory, people: api.inventory.people.filter((one) => one.name !== 'grace') };
  expect(problemIn(await api.call('GET', '/v1/runs', { as: 'grace' })).code).toBe('forbidden');
});

test('databases, runbooks, lease and audit are told', async () => {
  const api = await place.begin();
  expect((await api.call('GET', '/v1/databases', { as: 'ada' })).body['databases']).toMatchObject([
    { name: 'orders', operators: ['dba'], pooled: false },
  ]);
  expect((await api.call('GET', '/v1/runbooks', { as: 'ada' })).body['runbooks']).toMatchObject([
    { name: 'rehearsal', input: { type: 'object' } },
  ]);
  expect((await api.call('GET', '/v1/leases/orders', { as: 'ada' })).body).toMatchObject({ state: 'free', holder: null });
  await api.run();
  const { anchor } = (await api.call('GET', '/v1/audit/verify', { as: 'ada' })).body;
  const verified = async (kept: string) => await api.call('GET', `/v1/audit/verify?anchor=${kept}`, { as: 'ada' });
  expect((await verified(String(anchor))).body).toMatchObject({ bad: null });
  const other = String(anchor).replace(/:.*/, `:${'0'.repeat(64)}`);
  expect((await verified(other)).body).toMatchObject({ anchor: null, bad: { what: expect.stringContaining('was rewritten') } });
  expect(problemIn(await verified('3:abc')).code).toBe('body-invalid');
  expect((await api.call('GET', '/v1/leases/nope', { as: 'ada' })).status).toBe(404);
});

test('a lease is released by operators only, and not while its run is open', async () => {
  const api = await place.begin();
  const { run } = await api.run();
  await api.control.lease.take('orders', run, () => Promise.resolve(false));
  const body = { reason: 'it is gone' };
  expect((await api.call('POST', '/v1/leases/orders/release', { as: 'ada', body })).status).toBe(403);
  expect((await api.call('POST', '/v1/leases/orders/release', { as: 'grace', body })).status).toBe(409);
  api.temporal.statuses.set(run, 'terminated');
  expect((await api.call('POST', '/v1/leases/orders/release', { as: 'grace', body })).body).toMatchObject({ state: 'free' });
  expect((await api.call('POST', '/v1/leases/orders/release', { as: 'grace', body: { reason: ' ' } })).status).toBe(400);
});

test('health needs no token; readiness names what is missing', async () => {
  const api = await place.begin();
  expect((await api.call('GET', '/healthz')).status).toBe(200);
  expect((await api.call('GET', '/readyz')).status).toBe(200);
  api.temporal.down = true;
  await eventually(async () => ((await api.call('GET', '/readyz')).status === 503 ? true : undefined));
  expect(problemIn(await api.call('GET', '/readyz')).code).toBe('temporal-unavailable');
});

test('an inventory that was read again counts from the next request on', async () => {
  const api = await place.begin();
  api.inventory = parseInventory(
    `
version: 1
people: [{ name: ada, groups: [visitors] }, { name: grace, groups: [on-call, dba] }]
policies: { default: { requesters: [on-call], operators: [dba], approvals: { low: auto, medium: auto, high: auto } } }
databases: { orders: { provider: streaming, owners: dba, server: { host: localhost, dbname: orders, user: steadyhand } } }
`,
    'steadyhand.yaml',
  );
  expect((await api.call('POST', '/v1/runs', { as: 'ada', body: newRun, headers: { 'idempotency-key': 'k' } })).status).toBe(403);
});
