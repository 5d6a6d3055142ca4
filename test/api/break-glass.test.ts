import { expect, test } from 'vitest';
import { apiPlace, newRun, problemIn, type ApiTest } from './place.ts';

const place = apiPlace();
const why = { reason: 'orders is down' };

const ask = async (api: ApiTest, as: string, breakGlass: string | undefined, key = 'key') =>
  await api.call('POST', '/v1/runs', { as, body: { ...newRun, breakGlass }, headers: { 'idempotency-key': key } });

const listed = async (api: ApiTest, which: string): Promise<unknown> =>
  (await api.call('GET', `/v1/runs?breakGlass=${which}`, { as: 'mallory' })).body['runs'];

test('asked so it passes a freeze, is marked for ever, and listed as not reviewed once it is closed', async () => {
  const api = await place.begin();
  await api.call('POST', '/v1/freezes', { as: 'grace', body: { reason: 'the closing' } });
  expect((await ask(api, 'ada', undefined)).status).toBe(409);
  const { status, body } = await ask(api, 'ada', 'orders is down');
  expect(status).toBe(202);
  expect((await ask(api, 'ada', 'orders is down')).body).toMatchObject({ run: body['run'], created: false });
  expect((await ask(api, 'ada', 'another reason')).status).toBe(422);
  expect(await listed(api, 'used')).toMatchObject([
    { breakGlass: { person: 'ada', reason: 'orders is down' }, frozen: null, review: null },
  ]);
  expect(await listed(api, 'not-reviewed')).toEqual([]);
  const run = String(body['run']);
  expect((await api.control.events.list({ run, limit: 5 })).map((one) => [one.kind, one.actor.name])).toEqual([
    ['run.requested', 'ada'],
    ['break-glass.used', 'ada'],
  ]);
  const path = `/v1/runs/${String(body['id'])}/review`;
  expect((await api.call('POST', path, { as: 'grace', body: why })).status).toBe(409);
  await api.control.runs.close(run, { outcome: 'succeeded', free: true });
  expect(await listed(api, 'not-reviewed')).toMatchObject([{ run }]);
  expect((await api.call('POST', path, { as: 'ada', body: why })).status).toBe(403);
  expect((await api.call('POST', path, { as: 'grace', body: { reason: 'it was needed' } })).body).toMatchObject({
    review: { person: 'grace', reason: 'it was needed' },
  });
  expect(problemIn(await api.call('POST', path, { as: 'grace', body: why })).detail).toContain('was reviewed by grace');
  expect(await listed(api, 'not-reviewed')).toEqual([]);
  expect(await listed(api, 'used')).toHaveLength(1);
});

test('only people whom the policy names, with a reason, and not the one who asked for a run that is under way', async () => {
  const api = await place.begin();
  expect((await ask(api, 'mallory', 'please')).status).toBe(403);
  expect((await ask(api, 'ada', ' ')).status).toBe(400);
  const { id, run } = await api.run();
  const path = `/v1/runs/${id}/break-glass`;
  for (const as of ['mallory', 'ada']) expect((await api.call('POST', path, { as, body: why })).status).toBe(403);
  expect((await api.call('POST', path, { as: 'grace', body: {} })).status).toBe(400);
  expect(await listed(api, 'used')).toEqual([]);
  expect((await api.call('POST', path, { as: 'grace', body: why })).body).toMatchObject({ breakGlass: { person: 'grace' } });
  expect((await api.call('POST', path, { as: 'grace', body: { reason: 'again' } })).body).toMatchObject({ breakGlass: why });
  await api.control.runs.close(run, { outcome: 'succeeded', free: true });
  const reviewed = await api.call('POST', `/v1/runs/${id}/review`, { as: 'grace', body: why });
  expect(problemIn(reviewed)).toMatchObject({ code: 'forbidden', detail: 'grace broke the glass: somebody else reviews it' });
});

test('a service’s token neither breaks the glass nor reviews', async () => {
  const api = await place.begin();
  const { token } = await api.control.tokens.create({
    person: 'grace',
    kind: 'service',
    actor: { kind: 'person', name: 'root', channel: 'host' },
  });
  const { id, run } = await api.run();
  const headers = { authorization: `Bearer ${token}` };
  expect((await api.call('POST', `/v1/runs/${id}/break-glass`, { body: why, headers })).status).toBe(403);
  await api.control.runs.breakGlass(run, { kind: 'person', name: 'linus', channel: 'cli' }, 'x', []);
  await api.control.runs.close(run, { outcome: 'succeeded', free: true });
  expect((await api.call('POST', `/v1/runs/${id}/review`, { body: why, headers })).status).toBe(403);
});

test('a run that broke no glass has nothing to review, and a closed one breaks none', async () => {
  const api = await place.begin();
  const { id, run } = await api.run();
  await api.control.runs.close(run, { outcome: 'succeeded', free: true });
  expect((await api.call('POST', `/v1/runs/${id}/review`, { as: 'grace', body: why })).status).toBe(409);
  expect((await api.call('POST', `/v1/runs/${id}/break-glass`, { as: 'grace', body: why })).status).toBe(409);
});
