import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RunDetail } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Plan } from '../../domain/plan.ts';
import { runNameOf, runStates } from '../../domain/run.ts';
import { acceptedSchema, eventsSchema, planSchema, runDetailSchema, runsSchema } from '../answers.ts';
import { channelOf } from '../bearer.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { requestRun } from '../request-run.ts';
import { authorised, databaseName, runId } from './identifiers.ts';
import { askedSchema } from './plans.ts';

const idempotencyKey = z.looseObject({
  'idempotency-key': z
    .string({ error: 'is needed: any text that is new for a new request, and the same when a request is repeated' })
    .regex(/^[\x21-\x7e]{1,200}$/, 'is 1 to 200 visible ASCII characters'),
});

const newRun = askedSchema.extend({ ticket: z.string().trim().min(1).max(200).optional() });

const page = z.strictObject({
  database: databaseName.optional(),
  state: z.enum(runStates).optional(),
  before: runId.optional().describe('The last run of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const cursor = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().describe('The `seq` of the last event that you have'),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

const one = { params: z.object({ id: runId }), security: authorised, tags: ['runs'] };

export function runRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/runs',
      {
        schema: {
          summary: 'Ask for a run. The same Idempotency-Key with the same body answers with the same run',
          tags: ['runs'],
          security: authorised,
          headers: idempotencyKey,
          body: newRun,
          response: { 202: acceptedSchema, ...problemAnswers(400, 401, 403, 404, 413, 415, 422, 500, 503) },
        },
      },
      async (request, reply) => {
        const {
          created,
          request: written,
          delayed,
        } = await requestRun(parts, {
          ...request.body,
          person: request.person,
          channel: channelOf(request),
          idempotencyKey: request.headers['idempotency-key'],
        });
        if (delayed !== undefined) request.log.warn({ err: delayed, run: written.run }, 'the run is written down and starts later');
        const { id } = runNameOf(written.run);
        const state = (await parts.control.runs.find(written.run))?.state ?? 'requested';
        const location = `/v1/runs/${id}`;
        return await reply.code(202).header('Location', location).send({ run: written.run, id, state, location, created });
      },
    );
    app.get(
      '/runs',
      {
        schema: {
          summary: 'Runs, newest first',
          tags: ['runs'],
          security: authorised,
          querystring: page,
          response: { 200: runsSchema, ...problemAnswers(400, 401, 403, 503) },
        },
      },
      async ({ query: { database, state, before, limit } }) => {
        const runs = await parts.control.runs.list({
          limit,
          ...(database === undefined ? {} : { database }),
          ...(state === undefined ? {} : { state }),
          ...(before === undefined ? {} : { before }),
        });
        const last = runs.length === limit ? runs.at(-1) : undefined;
        return { runs, next: last === undefined ? null : runNameOf(last.run).id };
      },
    );
    app.get(
      '/runs/:id',
      {
        schema: {
          ...one,
          summary: 'A run: steps, open questions, decisions, evidence',
          response: { 200: runDetailSchema, ...problemAnswers(400, 401, 403, 404, 503) },
        },
      },
      async ({ params }) => await findRun(parts, params.id),
    );
    app.get(
      '/runs/:id/plan',
      {
        schema: {
          ...one,
          summary: 'The plan that the run follows',
          response: { 200: planSchema, ...problemAnswers(400, 401, 403, 404, 503) },
        },
      },
      async ({ params }) => await planOf(parts, await findRun(parts, params.id)),
    );
    app.get(
      '/runs/:id/events',
      {
        schema: {
          ...one,
          summary: 'What happened in the run, oldest first',
          querystring: cursor,
          response: { 200: eventsSchema, ...problemAnswers(400, 401, 403, 404, 503) },
        },
      },
      async ({ params, query: { after, limit } }) => {
        const { run } = await findRun(parts, params.id);
        return { events: await parts.control.events.list({ run, limit, ...(after === undefined ? {} : { after }) }) };
      },
    );
  };
}

/** Throws `not-found`. */
export async function findRun(parts: Pick<ApiParts, 'control'>, id: string): Promise<RunDetail> {
  const run = await parts.control.runs.detail(id);
  if (!run) throw new Failure('not-found', `there is no run ${id}`, { run: id });
  return run;
}

async function planOf(parts: ApiParts, run: RunDetail): Promise<Plan> {
  const stored = run.plan === null ? null : await parts.control.documents.get(run.plan);
  if (stored === null || stored === undefined) throw new Failure('not-found', `the run ${run.run} has no plan yet`, { run: run.run });
  // Checked against the Plan's schema when it is sent.
  return stored as Plan;
}
