import { expect, test } from 'vitest';
import { z } from 'zod';
import type { NewToken } from '../../control/contract.ts';
import { everyScope, type Scope } from '../../domain/token.ts';
import { apiPlace, newRun, problemIn, type Answer, type ApiTest } from './place.ts';

const place = apiPlace();
const made = z.looseObject({ id: z.string(), token: z.string() });
const digest = 'd'.repeat(64);

async function caller(
  api: ApiTest,
  token: Omit<NewToken, 'actor'>,
): Promise<(method: 'GET' | 'POST', url: string, body?: unknown) => Promise<Answer>> {
  return by(api, (await api.token(token)).token);
}

function by(api: ApiTest, token: string): (method: 'GET' | 'POST', url: string, body?: unknown) => Promise<Answer> {
  return (method, url, body) =>
    api.call(method, url, {
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': 'k' },
      ...(body === undefined ? {} : { body }),
    });
}

async function asked(api: ApiTest): Promise<{ run: string; id: string }> {
  const { run, id } = await api.run();
  const question = { run, approval: 'agree', opening: 1, kind: 'approval', digest, choices: ['approve', 'reject'] } as const;
  await api.control.questions.open({ ...question, quorum: [{ group: 'dba', count: 1 }] });
  return { run, id };
}

/** A request of each scope that is let through with it, whatever becomes of it then. */
const requests: Readonly<Record<Scope, readonly ['GET' | 'POST', string, unknown?]>> = {
  read: ['GET', '/v1/runs'],
  plan: ['POST', '/v1/plans', newRun],
  start: ['POST', '/v1/runs', newRun],
  decide: ['POST', `/v1/runs/${'7'.repeat(26)}/cancel`, { reason: 'because' }],
  lease: ['POST', '/v1/leases/orders/release', { reason: 'because' }],
  decode: ['POST', '/codec/decode', { payloads: [] }],
  tokens: ['GET', '/v1/tokens'],
  audit: ['GET', '/v1/audit/verify'],
};

test('H4: a token does what its scopes say and nothing else', async () => {
  const api = await place.begin();
  for (const scope of everyScope) {
    const call = await caller(api, { person: 'ada', scopes: [scope] });
    for (const other of everyScope) {
      const answer = await call(...requests[other]);
      if (other === scope) expect(answer.body['code'], scope).not.toBe('scope-missing');
      else
        expect(problemIn(answer), `${scope} at ${other}`).toMatchObject({ code: 'scope-missing', detail: expect.stringContaining(scope) });
    }
  }
  expect(await api.control.runs.list({ limit: 9 })).toHaveLength(1);
});

test('what a service does is recorded as a service’s', async () => {
  const api = await place.begin();
  const call = await caller(api, { person: 'ada', kind: 'service', scopes: ['start', 'decide'] });
  expect((await call('POST', '/v1/runs', newRun)).status).toBe(202);
  const [run] = await api.control.runs.list({ limit: 1 });
  const [event] = await api.control.events.list({ run: run?.run ?? '', limit: 1 });
  expect(event?.actor).toEqual({ kind: 'service', name: 'ada', channel: 'http' });
  const { id } = await asked(api);
  await call('POST', `/v1/runs/${id}/decisions`, { approval: 'agree', opening: 1, digest, choice: 'approve' });
  expect((await api.control.runs.detail(id))?.decisions).toMatchObject([{ person: 'ada', kind: 'service' }]);
});

test('a token of one’s own is rotated: the old secret is valid for the overlap, and ends with the token', async () => {
  const api = await place.begin();
  const { token, row } = await api.token({ person: 'ada' });
  const answer = await by(api, token)('POST', `/v1/tokens/${row.id}/rotate`, { overlapSeconds: 3_600 });
  const next = made.parse(answer.body);
  expect(answer.body).toMatchObject({ id: row.id, person: 'ada', oldSecretUntil: expect.any(String) });
  for (const secret of [token, next.token]) expect((await by(api, secret)('GET', '/v1/tokens')).status).toBe(200);
  expect((await by(api, next.token)('POST', `/v1/tokens/${row.id}/rotate`, { overlapSeconds: 0 })).status).toBe(200);
  for (const secret of [token, next.token]) expect((await by(api, secret)('GET', '/v1/tokens')).status).toBe(401);
});

test('a further token does no more and lives no longer than the one that made it', async () => {
  const api = await place.begin();
  const call = await caller(api, { person: 'ada', scopes: ['read', 'tokens'], expiresInMs: 3_600_000 });
  const answer = await call('POST', '/v1/tokens', { scopes: ['read'], note: 'a script' });
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({ person: 'ada', kind: 'service', scopes: ['read'], note: 'a script', revokedAt: null });
  expect(Date.parse(z.string().parse(answer.body['expiresAt']))).toBeLessThan(Date.now() + 3_700_000);
  const own = by(api, made.parse(answer.body).token);
  expect((await own('GET', '/v1/runs')).status).toBe(200);
  expect(problemIn(await own('GET', '/v1/tokens')).code).toBe('scope-missing');
  expect(problemIn(await call('POST', '/v1/tokens', { scopes: ['start'] })).detail).toContain('start');
  expect(problemIn(await call('POST', '/v1/tokens', { scopes: ['read'], expiresInSeconds: 86_400 })).code).toBe('forbidden');
  expect((await call('POST', `/v1/tokens/${made.parse(answer.body).id}/revoke`, {})).body).toMatchObject({ revokedAt: expect.any(String) });
  expect((await own('GET', '/v1/runs')).status).toBe(401);
});

test('a service cannot make itself a person, by a new token or by a new secret of another one', async () => {
  const api = await place.begin();
  const personal = await api.token({ person: 'ada' });
  const wide = await api.token({ person: 'ada', kind: 'service', scopes: ['read', 'start'] });
  const call = await caller(api, { person: 'ada', kind: 'service', scopes: ['read', 'tokens'] });
  expect(problemIn(await call('POST', '/v1/tokens', { kind: 'person', scopes: ['read'] })).code).toBe('forbidden');
  for (const { row } of [personal, wide]) {
    expect(problemIn(await call('POST', `/v1/tokens/${row.id}/rotate`, {})).code).toBe('forbidden');
    expect(problemIn(await call('POST', `/v1/tokens/${row.id}/revoke`, {})).code).toBe('forbidden');
  }
  const { row } = await api.token({ person: 'grace' });
  expect(problemIn(await call('POST', `/v1/tokens/${row.id}/revoke`, {})).code).toBe('not-found');
  expect(await api.control.tokens.check(personal.token)).not.toBeNull();
});
