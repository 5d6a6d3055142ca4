import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { cancelAnswer, type Answer } from '../answer.ts';
import { choiceSchema, judgedSchema } from '../answers.ts';
import { channelOf, kindOf, needs } from '../bearer.ts';
import { decide } from '../decide.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { digest, reason, runId } from './identifiers.ts';

const decision = z.strictObject({
  approval: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'the id of a step'),
  opening: z.int().min(0).max(1_000_000),
  digest: z.union([digest, z.literal('')]).describe('The digest that the question shows'),
  choice: choiceSchema,
  reason: reason.optional().describe('Needed for reject, skip, mark-done, roll-back, abort and cancel'),
});

const one = { params: z.object({ id: runId }), security: needs('decide'), tags: ['decisions'] };
const answers = { 200: judgedSchema, 202: judgedSchema, ...problemAnswers(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503) };

export function decisionRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/runs/:id/decisions',
      {
        schema: {
          ...one,
          summary: 'Answer an open question. 403 or 409 when the answer does not count; 202 when it is judged later',
          body: decision,
          response: answers,
        },
      },
      async (request, reply) => {
        const judged = await decide(parts, request.params.id, { ...request.body, ...whoOf(request) });
        return await reply.code(judged.counts === null ? 202 : 200).send(judged);
      },
    );
    app.post(
      '/runs/:id/cancel',
      {
        schema: {
          ...one,
          summary: 'Cancel the run: before the point of no return everything is undone',
          body: z.strictObject({ reason }),
          response: answers,
        },
      },
      async (request, reply) => {
        const by = { ...whoOf(request), reason: request.body.reason };
        const judged = await decide(parts, request.params.id, cancelAnswer(by));
        return await reply.code(judged.counts === null ? 202 : 200).send(judged);
      },
    );
  };
}

function whoOf(request: FastifyRequest): Pick<Answer, 'person' | 'kind' | 'channel'> {
  return { person: request.person, kind: kindOf(request), channel: channelOf(request) };
}
