import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { anchorOf } from '../../domain/anchor.ts';
import { Failure } from '../../domain/failure.ts';
import { auditSchema } from '../answers.ts';
import { needs } from '../bearer.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { anchor, digest } from './identifiers.ts';

/** For those who look afterwards. */
export function auditRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/audit/verify',
      {
        schema: {
          summary: 'Walk the chain of the audit record, from where the last walk of this API ended; callers share one walk',
          tags: ['audit'],
          security: needs('audit'),
          querystring: z.strictObject({
            anchor: anchor.optional(),
            full: z.enum(['true', 'false']).default('false').describe('From the first row: also finds an edit of what was verified before'),
          }),
          response: { 200: auditSchema, ...problemAnswers(400, 401, 403, 429, 503) },
        },
      },
      async ({ query }) =>
        await parts.control.events.verify({
          further: query.full === 'false',
          anchor: query.anchor === undefined ? undefined : anchorOf(query.anchor),
        }),
    );
    app.get(
      '/findings/:digest',
      {
        schema: {
          summary: 'A stored document by its digest: the findings of a preflight, the facts of a plan',
          tags: ['audit'],
          security: needs('read'),
          params: z.object({ digest }),
          response: { 200: z.unknown().describe('The document, as it was stored'), ...problemAnswers(400, 401, 403, 404, 429, 503) },
        },
      },
      async ({ params }) => {
        const body = await parts.control.documents.get(params.digest);
        if (body === null || body === undefined) throw new Failure('not-found', `there is no document ${params.digest}`);
        return body;
      },
    );
  };
}
