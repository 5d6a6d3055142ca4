import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { readinessSchema } from '../answers.ts';
import { metricsText } from '../metrics.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { readinessOf } from '../readiness.ts';
import { shared } from '../shared.ts';

/** Nobody needs a token here, so an answer serves all who ask within this time. */
const sharedForMs = 1_000;

/** For load balancers, orchestrators and Prometheus, without a token. */
export function healthRoutes(parts: ApiParts, requests: Registry): FastifyPluginAsyncZod {
  const readiness = shared(sharedForMs, () => readinessOf(parts));
  const metrics = shared(sharedForMs, () => metricsText(parts, requests));
  return async (app) => {
    app.get(
      '/healthz',
      { schema: { summary: 'Whether the process lives', tags: ['service'], response: { 200: z.object({ alive: z.literal(true) }) } } },
      async () => ({ alive: true }) as const,
    );
    app.get(
      '/readyz',
      {
        schema: {
          summary: 'Whether control database and Temporal answer, and the schema fits; and what is wrong beside that',
          tags: ['service'],
          response: { 200: readinessSchema, ...problemAnswers(500, 503) },
        },
      },
      async () => await readiness(),
    );
    app.get(
      '/metrics',
      {
        schema: {
          summary: 'What is there, in numbers, for Prometheus',
          tags: ['service'],
          response: { 200: { description: 'Prometheus’ text format', content: { 'text/plain': { schema: z.string() } } } },
        },
      },
      async (_, reply) => {
        const { type, text } = await metrics();
        return await reply.type(type).send(text);
      },
    );
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  };
}
