import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Failure, isFailureCode } from '../../domain/failure.ts';
import { failureKinds } from '../../domain/failure-kinds.ts';
import { problemAnswers } from '../problems.ts';

const kind = z.object({ code: z.string(), status: z.int(), retryable: z.boolean(), meaning: z.string(), hint: z.string() });

/** What a problem's `type` points at. */
export function problemRoutes(): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/problems/:code',
      {
        schema: {
          summary: 'What a kind of problem means, and what to do',
          tags: ['service'],
          params: z.object({ code: z.string().max(60) }),
          response: { 200: kind, ...problemAnswers(400, 404) },
        },
      },
      async ({ params: { code } }) => {
        if (!isFailureCode(code)) throw new Failure('not-found', 'there is no problem of that name');
        return { code, ...failureKinds[code] };
      },
    );
  };
}
