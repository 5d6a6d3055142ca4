import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { EventFilter } from '../../control/contract.ts';
import { eventsSchema } from '../answers.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { authorised, moment, personName, runId } from './identifiers.ts';
import { findRun } from './runs.ts';

const page = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().describe('The `seq` of the last event that you have'),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

const filter = page.extend({
  run: runId.optional(),
  kind: z
    .string()
    .regex(/^[a-z-]{1,30}\.[a-z-]{1,30}$/, 'a kind such as run.closed')
    .optional()
    .describe('Such as `run.closed`, `decision.made`, `step.failed`'),
  actor: personName.optional().describe('Who did it'),
  since: moment.optional().describe('Recorded at this time or later'),
  until: moment.optional().describe('Recorded before this time'),
});

/** The audit as a stream: of one run, or of everything. */
export function eventRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/events',
      {
        schema: {
          summary: 'The record of everything, oldest first',
          tags: ['audit'],
          security: authorised,
          querystring: filter,
          response: { 200: eventsSchema, ...problemAnswers(400, 401, 403, 404, 503) },
        },
      },
      async ({ query: { run, ...asked } }) => await pageOf(parts, { ...asked, run: run && (await findRun(parts, run)).run }),
    );
    app.get(
      '/runs/:id/events',
      {
        schema: {
          summary: 'What happened in the run, oldest first',
          tags: ['runs'],
          security: authorised,
          params: z.object({ id: runId }),
          querystring: page,
          response: { 200: eventsSchema, ...problemAnswers(400, 401, 403, 404, 503) },
        },
      },
      async ({ params, query }) => await pageOf(parts, { ...query, run: (await findRun(parts, params.id)).run }),
    );
  };
}

async function pageOf(parts: ApiParts, asked: EventFilter): Promise<z.infer<typeof eventsSchema>> {
  const events = await parts.control.events.list(asked);
  const last = events.length === asked.limit ? events.at(-1) : undefined;
  return { events, next: last?.seq ?? null };
}
