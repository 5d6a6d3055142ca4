import { expect, test } from 'vitest';
import { z } from 'zod';
import { apiPlace, newRun, problemIn, type ApiTest } from './place.ts';

const place = apiPlace();
const nobody = '7'.repeat(26);
const digest = 'd'.repeat(64);
const because = { reason: 'because' };
const answer = { approval: 'agree', opening: 1, digest, choice: 'approve' };

interface Bad {
  readonly status: number;
  /** In place of the route's parameter. */
  readonly named?: string;
  readonly query?: string;
  readonly body?: unknown;
  /** Default ada, who may ask and not operate; null: without a token. */
  readonly as?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

const runs: readonly Bad[] = [
  { named: 'no-ulid', status: 400 },
  { named: nobody, status: 404 },
  { named: nobody, as: null, status: 401 },
];

const freezes: readonly Bad[] = [
  { named: 'no-ulid', body: because, status: 400 },
  { named: nobody, body: {}, status: 400 },
  { named: nobody, body: because, as: 'grace', status: 404 },
];

/** For every route what it must refuse, beside what is refused everywhere. */
const bad: Readonly<Record<string, readonly Bad[]>> = {
  'GET /problems/{code}': [
    { named: 'toString', status: 404 },
    { named: 'x'.repeat(61), status: 400 },
  ],
  'GET /v1/audit/verify': [
    { query: 'anchor=nonsense', status: 400 },
    { query: 'full=maybe', status: 400 },
    { as: null, status: 401 },
  ],
  'GET /v1/databases': [{ as: null, status: 401 }],
  'GET /v1/runbooks': [{ as: null, status: 401 }],
  'GET /v1/events': [
    { query: 'kind=nonsense', status: 400 },
    { query: 'since=yesterday', status: 400 },
    { query: `run=${nobody}`, status: 404 },
  ],
  'GET /v1/findings/{digest}': [
    { named: 'nonsense', status: 400 },
    { named: digest, status: 404 },
  ],
  'GET /v1/freezes': [
    { query: 'past=maybe', status: 400 },
    { as: null, status: 401 },
  ],
  'POST /v1/freezes': [
    { body: {}, status: 400 },
    { body: { reason: ` ${'x'.repeat(2_000)}` }, as: 'grace', status: 400 },
    { body: because, status: 403 },
    { body: { ...because, database: 'nothing' }, as: 'grace', status: 404 },
    { body: { ...because, until: '2001-01-01T00:00:00Z' }, as: 'grace', status: 422 },
  ],
  'POST /v1/freezes/{id}/lift': freezes,
  'POST /v1/runs/{id}/break-glass': [
    { named: nobody, body: {}, status: 400 },
    { named: nobody, body: because, status: 404 },
  ],
  'POST /v1/runs/{id}/review': [
    { named: nobody, body: {}, status: 400 },
    { named: nobody, body: because, status: 404 },
  ],
  'GET /v1/janitor': [{ query: 'database=No!', status: 400 }],
  'POST /v1/janitor/{id}': [
    { named: nobody, body: {}, status: 400 },
    { named: nobody, body: because, status: 404 },
  ],
  'GET /v1/leases': [{ as: null, status: 401 }],
  'GET /v1/proofs': [
    { query: 'before=nonsense', status: 400 },
    { query: 'limit=201', status: 400 },
    { query: 'database=nothing', status: 404 },
    { as: null, status: 401 },
  ],
  'GET /v1/leases/{database}': [
    { named: 'Orders!', status: 400 },
    { named: 'nothing', status: 404 },
  ],
  'POST /v1/leases/{database}/release': [
    { named: 'orders', body: { reason: ' ' }, status: 400 },
    { named: 'orders', body: because, status: 403 },
    { named: 'nothing', body: because, as: 'grace', status: 404 },
    { named: 'orders', body: because, as: 'grace', status: 404 },
  ],
  'POST /v1/plans': [
    { body: { ...newRun, input: 'hello' }, status: 400 },
    { body: { ...newRun, input: {} }, status: 422 },
  ],
  'GET /v1/runs': [
    { query: 'limit=0', status: 400 },
    { query: 'state=asleep', status: 400 },
    { query: 'sort=asc', status: 400 },
  ],
  'POST /v1/runs': [
    { body: { ...newRun, runbook: 'nothing' }, status: 404 },
    { body: { ...newRun, database: 'nothing' }, status: 404 },
    { body: { ...newRun, input: { word: 7 } }, status: 422 },
    { body: { ...newRun, extra: 1 }, status: 400 },
    { body: newRun, as: 'mallory', status: 403 },
    { body: newRun, headers: { 'idempotency-key': 'with space' }, status: 400 },
  ],
  'GET /v1/runs/{id}': runs,
  'GET /v1/runs/{id}/plan': runs,
  'GET /v1/runs/{id}/events': [...runs, { named: nobody, query: 'after=-1', status: 400 }],
  'POST /v1/runs/{id}/cancel': [
    { named: nobody, body: {}, status: 400 },
    { named: nobody, body: because, status: 404 },
  ],
  'POST /v1/runs/{id}/decisions': [
    { named: nobody, body: { ...answer, choice: 'perhaps' }, status: 400 },
    { named: nobody, body: { ...answer, digest: 'short' }, status: 400 },
    { named: nobody, body: answer, status: 404 },
  ],
  'GET /v1/tokens': [{ as: null, status: 401 }],
  'POST /v1/tokens': [
    { body: { scopes: [] }, status: 400 },
    { body: { scopes: ['everything'] }, status: 400 },
  ],
  'POST /v1/tokens/{id}/revoke': [
    { named: 'nothing', body: {}, status: 404 },
    { named: 'NO', body: {}, status: 400 },
  ],
  'POST /v1/tokens/{id}/rotate': [
    { named: 'nothing', body: {}, status: 404 },
    { named: 'nothing', body: { overlapSeconds: -1 }, status: 400 },
  ],
  'POST /codec/decode': [
    { body: { payloads: 'x' }, status: 400 },
    { body: { payloads: [] }, status: 404 },
  ],
};

/** They take nothing that could be wrong. */
const withoutInput = ['GET /healthz', 'GET /metrics', 'GET /readyz'];

const documented = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.record(z.string(), z.unknown()) }))),
});

async function routesOf(api: ApiTest): Promise<Map<string, readonly string[]>> {
  const { paths } = documented.parse((await api.call('GET', '/openapi.json')).body);
  return new Map(
    Object.entries(paths).flatMap(([path, verbs]) =>
      Object.entries(verbs).map(([verb, { responses }]) => [`${verb.toUpperCase()} ${path}`, Object.keys(responses)] as const),
    ),
  );
}

/** Everything that a request could have changed. */
async function stateOf({ control, temporal }: ApiTest): Promise<unknown> {
  const { started, messages } = temporal;
  const tokens = (await control.tokens.list()).map((token) => ({ ...token, lastUsedAt: null }));
  return {
    events: await control.events.last(),
    runs: await control.runs.list({ limit: 9 }),
    tokens,
    started: [...started],
    messages: [...messages],
  };
}

async function ask(api: ApiTest, route: string, one: Bad): ReturnType<ApiTest['call']> {
  const [method, path = ''] = route.split(' ');
  const url = `${path.replace(/\{\w+\}/, encodeURIComponent(one.named ?? ''))}${one.query === undefined ? '' : `?${one.query}`}`;
  return await api.call(method === 'POST' ? 'POST' : 'GET', url, {
    ...(one.as === null ? {} : { as: one.as ?? 'ada' }),
    headers: { 'idempotency-key': 'k', ...one.headers },
    ...(one.body === undefined ? {} : { body: one.body }),
  });
}

test('every route has its bad input here', async () => {
  const api = await place.begin();
  expect([...(await routesOf(api)).keys()].toSorted()).toEqual([...Object.keys(bad), ...withoutInput].toSorted());
});

test('H2, H10: bad input of every route is refused as the document says, with what to do, and changes nothing', async () => {
  const api = await place.begin();
  const routes = await routesOf(api);
  for (const person of ['ada', 'grace', 'mallory']) await api.tokenOf(person);
  const before = await stateOf(api);
  for (const [route, cases] of Object.entries(bad)) {
    const garbage: Bad[] = route.startsWith('POST') ? [{ named: nobody, body: [], status: 400 }] : [];
    for (const one of [...cases, ...garbage]) {
      const refused = await ask(api, route, one);
      expect.soft(refused.status, `${route} ${JSON.stringify(one)} ${JSON.stringify(refused.body)}`).toBe(one.status);
      if (refused.status >= 400) expect.soft(problemIn(refused).detail.length, route).toBeGreaterThan(10);
      expect.soft(routes.get(route), route).toContain(String(one.status));
    }
  }
  expect(await stateOf(api)).toEqual(before);
});
