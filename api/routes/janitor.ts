import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { clearingSchema, janitorSchema } from '../janitor-answers.ts';
import { actorOf, needs } from '../bearer.ts';
import { clearUpAfter, lookAround } from '../janitor.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { databaseName, reason, runId } from './identifiers.ts';

export function janitorRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/janitor',
      {
        schema: {
          summary: 'What runs that have ended left behind: by their journal, and by a look at the databases',
          tags: ['janitor'],
          security: needs('read'),
          querystring: z.strictObject({ database: databaseName.optional().describe('Only this one; else all of the inventory') }),
          response: { 200: janitorSchema, ...problemAnswers(400, 401, 403, 404, 503) },
        },
      },
      async ({ query }) => await lookAround(parts, query.database),
    );
    app.post(
      '/janitor/:id',
      {
        schema: {
          summary: 'Take back what a run has left, by its own undos; `run.cleared` among its events says what came of it',
          tags: ['janitor'],
          security: needs('lease'),
          params: z.object({ id: runId }),
          body: z.strictObject({ reason }),
          response: { 202: clearingSchema, ...problemAnswers(400, 401, 403, 404, 409, 413, 415, 500, 503) },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        return await reply.code(202).send(await clearUpAfter(parts, id, actorOf(request), request.body.reason));
      },
    );
  };
}
