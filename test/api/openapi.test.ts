import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createLogger } from '../../api/logger.ts';
import { buildApp } from '../../api/server.ts';
import { Failure } from '../../domain/failure.ts';
import { everyScope } from '../../domain/token.ts';
import { apiPlace } from './place.ts';

const place = apiPlace();

const operation = z.object({
  summary: z.string().min(10),
  security: z.array(z.unknown()).optional(),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), z.unknown()).optional() })),
});
const document = z.object({
  openapi: z.string().startsWith('3.1'),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

test('the OpenAPI document has every route with its answers and problems', async () => {
  const api = await place.begin();
  const { paths, components } = document.parse((await api.call('GET', '/openapi.json')).body);
  const listed = Object.entries(paths).flatMap(([path, verbs]) => Object.keys(verbs).map((verb) => `${verb} ${path}`));
  expect(listed.toSorted()).toEqual([
    'get /healthz',
    'get /metrics',
    'get /problems/{code}',
    'get /readyz',
    'get /v1/audit/verify',
    'get /v1/databases',
    'get /v1/events',
    'get /v1/findings/{digest}',
    'get /v1/freezes',
    'get /v1/janitor',
    'get /v1/leases',
    'get /v1/leases/{database}',
    'get /v1/proofs',
    'get /v1/runbooks',
    'get /v1/runs',
    'get /v1/runs/{id}',
    'get /v1/runs/{id}/events',
    'get /v1/runs/{id}/plan',
    'get /v1/tokens',
    'post /codec/decode',
    'post /v1/freezes',
    'post /v1/freezes/{id}/lift',
    'post /v1/janitor/{id}',
    'post /v1/leases/{database}/release',
    'post /v1/plans',
    'post /v1/runs',
    'post /v1/runs/{id}/break-glass',
    'post /v1/runs/{id}/cancel',
    'post /v1/runs/{id}/decisions',
    'post /v1/runs/{id}/review',
    'post /v1/tokens',
    'post /v1/tokens/{id}/revoke',
    'post /v1/tokens/{id}/rotate',
  ]);
  for (const [path, verbs] of Object.entries(paths)) {
    if (!path.startsWith('/v1/')) continue;
    for (const { security, responses } of Object.values(verbs)) {
      expect(security, path).toEqual([{ token: [expect.toBeOneOf(everyScope)] }]);
      expect(Object.keys(responses['401']?.content ?? {}), path).toEqual(['application/problem+json']);
    }
  }
  expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(['Plan', 'Problem', 'Run', 'RunDetail']));
});

test('a problem’s type leads to what it means', async () => {
  const api = await place.begin();
  expect((await api.call('GET', '/problems/lease-held')).body).toMatchObject({ code: 'lease-held', status: 409 });
  expect((await api.call('GET', '/problems/toString')).status).toBe(404);
});

test('the log holds no token, no password, and the errors that were kept from the answer', async () => {
  const api = await place.begin();
  const lines: string[] = [];
  const to = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const app = await buildApp(
    { ...api.parts, planner: { plan: () => Promise.reject(new Failure('internal', 'password=hunter2 at the wall')) } },
    createLogger('info', to),
  );
  const token = await api.tokenOf('ada');
  await app.inject({
    method: 'POST',
    url: '/v1/plans',
    headers: { authorization: `Bearer ${token}` },
    payload: { runbook: 'rehearsal', database: 'orders', input: {} },
  });
  await app.close();
  expect(lines.join('')).toContain('at the wall');
  expect(lines.join('')).not.toContain('hunter2');
  expect(lines.join('')).not.toContain(token);
});
