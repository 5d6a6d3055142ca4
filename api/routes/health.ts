import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readinessSchema } from '../answers.ts';
import { metricsText } from '../metrics.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import type { Histogram } from '../prometheus.ts';
import { readinessOf } from '../readiness.ts';

/** For load balancers, orchestrators and Prometheus, without a token. */
export function healthRoutes(parts: ApiParts, durations: Histogram): FastifyPluginAsyncZod {
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
      async () => await readinessOf(parts),
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
      async (_, reply) => await reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metricsText(parts, durations)),
    );
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  };
}
