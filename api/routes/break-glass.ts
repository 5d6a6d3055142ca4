import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { runRowSchema } from '../answers.ts';
import { channelOf, kindOf, needs } from '../bearer.ts';
import { breakGlass, review, type Word } from '../break-glass.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { reason, runId } from './identifiers.ts';
import { findRecord, findRun } from './runs.ts';

const one = {
  params: z.object({ id: runId }),
  security: needs('decide'),
  tags: ['decisions'],
  body: z.strictObject({ reason }),
  response: { 200: runRowSchema, ...problemAnswers(400, 401, 403, 404, 409, 413, 415, 500, 503) },
};

export function breakGlassRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/runs/:id/break-glass',
      { schema: { ...one, summary: 'An emergency: freezes and the policy’s quorum stop the run no more. Loud, and reviewed afterwards' } },
      async (request) => {
        const run = await findRecord(parts, request.params.id);
        await breakGlass(parts, run, wordOf(request, request.body.reason));
        request.log.warn({ run: run.run, person: request.person }, 'the glass was broken');
        return await findRun(parts, request.params.id);
      },
    );
    app.post(
      '/runs/:id/review',
      {
        schema: {
          ...one,
          summary: 'Say that you have looked at a closed run that broke the glass: neither its requester nor who broke it',
        },
      },
      async (request) => {
        await review(parts, await findRecord(parts, request.params.id), wordOf(request, request.body.reason));
        return await findRun(parts, request.params.id);
      },
    );
  };
}

function wordOf(request: FastifyRequest, why: string): Word {
  return { person: request.person, kind: kindOf(request), channel: channelOf(request), reason: why };
}
