import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';

/** For load balancers and orchestrators, without a token. */
export function healthRoutes(parts: ApiParts): FastifyPluginAsyncZod {
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
          summary: 'Whether the control database and Temporal answer',
          tags: ['service'],
          response: { 200: z.object({ ready: z.literal(true) }), ...problemAnswers(503) },
        },
      },
      async () => {
        await Promise.all([parts.control.ping(), parts.temporal.health()]);
        return { ready: true } as const;
      },
    );
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  };
}
