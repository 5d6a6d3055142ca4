import { expect, test } from 'vitest';
import { parseInventory } from '../../domain/inventory.ts';
import { apiPlace, newRun, problemIn, type ApiTest } from './place.ts';

const place = apiPlace();

const freeze = async (api: ApiTest, body: Record<string, unknown> = {}, as = 'grace') =>
  await api.call('POST', '/v1/freezes', { as, body: { reason: 'the closing', ...body } });

test('while it is frozen a new run is refused and nothing is written; the key of before still finds its run', async () => {
  const api = await place.begin();
  const ask = async (key: string) => await api.call('POST', '/v1/runs', { as: 'ada', body: newRun, headers: { 'idempotency-key': key } });
  expect((await ask('first')).status).toBe(202);
  const { body } = await freeze(api, { until: '2199-01-01T00:00:00+01:00' });
  const refused = await ask('second');
  expect(refused.status).toBe(409);
  expect(problemIn(refused)).toMatchObject({
    code: 'frozen',
    detail: expect.stringMatching(/^every database is frozen by grace since .*, until 2198-12-31T23:00Z: the closing$/),
  });
  expect((await ask('first')).body).toMatchObject({ created: false });
  expect(await api.control.runs.list({ limit: 5 })).toMatchObject([{ frozen: { id: body['id'] } }]);
  await api.call('POST', `/v1/freezes/${String(body['id'])}/lift`, { as: 'grace', body: { reason: 'closed' } });
  expect((await ask('second')).status).toBe(202);
});

test('a freeze is of one database or of all, told twice it is one, and lifted once', async () => {
  const api = await place.begin();
  const one = await freeze(api, { database: 'orders' });
  expect((await freeze(api, { database: 'orders' })).body['id']).toBe(one.body['id']);
  const all = await freeze(api);
  expect(all.body['id']).not.toBe(one.body['id']);
  const path = `/v1/freezes/${String(one.body['id'])}/lift`;
  expect((await api.call('POST', path, { as: 'grace', body: { reason: 'closed' } })).body).toMatchObject({
    holds: false,
    liftedBy: 'grace',
  });
  expect((await api.call('POST', path, { as: 'grace', body: { reason: 'again' } })).body).toMatchObject({ liftedBecause: 'closed' });
  expect((await api.call('GET', '/v1/freezes', { as: 'mallory' })).body['freezes']).toHaveLength(1);
  expect((await api.call('GET', '/v1/freezes?past=true', { as: 'mallory' })).body['freezes']).toHaveLength(2);
  const events = (await api.control.events.list({ limit: 50 })).filter((one_) => one_.kind.startsWith('freeze.'));
  expect(events).toMatchObject([
    { kind: 'freeze.on', actor: { name: 'grace', channel: 'http' }, data: { database: 'orders', reason: 'the closing', until: null } },
    { kind: 'freeze.on', data: { database: null } },
    { kind: 'freeze.off', actor: { name: 'grace' }, data: { id: one.body['id'], reason: 'closed' } },
  ]);
});

test('it takes an operator of every database that it concerns, to freeze and to lift', async () => {
  const api = await place.begin();
  const { body } = await freeze(api);
  for (const as of ['ada', 'mallory']) {
    expect((await freeze(api, { database: 'orders' }, as)).status).toBe(403);
    expect((await api.call('POST', `/v1/freezes/${String(body['id'])}/lift`, { as, body: { reason: 'mine' } })).status).toBe(403);
  }
  const text = `
version: 1
people: [{ name: grace, groups: [dba] }, { name: linus, groups: [others] }]
policies:
  default: { requesters: [dba], operators: [dba], approvals: { low: auto, medium: auto, high: auto } }
  other: { requesters: [dba], operators: [others], approvals: { low: auto, medium: auto, high: auto } }
databases:
  orders: { provider: streaming, owners: dba, server: { host: a, dbname: a, user: a } }
  invoices: { provider: streaming, owners: dba, policy: other, server: { host: a, dbname: b, user: a } }`;
  api.inventory = parseInventory(text, 'steadyhand.yaml');
  expect(problemIn(await freeze(api, { reason: 'another' })).detail).toContain('freeze "invoices"');
  expect((await freeze(api, { database: 'orders' })).status).toBe(200);
});

test.each([
  [{ reason: '' }, 400],
  [{ until: 'tomorrow' }, 400],
  [{ until: '2020-01-01T00:00:00Z' }, 422],
  [{ database: 'nowhere' }, 404],
  [{ forever: true }, 400],
])('a freeze with %j is refused', async (body, status) => {
  const api = await place.begin();
  expect((await freeze(api, body)).status).toBe(status);
  expect(await api.control.freezes.list({ past: true })).toEqual([]);
});

test('a freeze that is not there', async () => {
  const api = await place.begin();
  const answer = await api.call('POST', '/v1/freezes/01KAJ0V5Z8Q4W9T2B7C6D5E4F3/lift', { as: 'grace', body: { reason: 'x' } });
  expect(answer.status).toBe(404);
});
