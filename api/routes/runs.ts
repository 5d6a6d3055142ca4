import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RunDetail, RunRecord } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Plan } from '../../domain/plan.ts';
import { redact } from '../../domain/redaction.ts';
import { outcomes, runNameOf, runStates } from '../../domain/run.ts';
import { acceptedSchema, planSchema, runDetailSchema, runsSchema } from '../answers.ts';
import { channelOf, kindOf, needs } from '../bearer.ts';
import { noSuchRun } from '../no-such-run.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { requestRun } from '../request-run.ts';
import { databaseName, moment, personName, reason, runbookName, runId, whole } from './identifiers.ts';
import { askedSchema } from './plans.ts';

const idempotencyKey = z.looseObject({
  'idempotency-key': z
    .string({ error: 'is needed: any text that is new for a new request, and the same when a request is repeated' })
    .regex(/^[\x21-\x7e]{1,200}$/, 'is 1 to 200 visible ASCII characters'),
});

const newRun = askedSchema.extend({
  ticket: z.string().max(200).trim().min(1).optional(),
  breakGlass: reason
    .optional()
    .describe('An emergency, and why: freezes and the policy’s quorum do not stop the run. Loud, and reviewed afterwards'),
  wait: z
    .union([z.literal(true), z.string().min(1).max(20)])
    .optional()
    .describe('Stand in line for the lease for so long (`2h`, at most `7d`; `true`: a day) instead of being refused while it is held'),
});

const page = z.strictObject({
  database: databaseName.optional(),
  runbook: runbookName.optional(),
  state: z.enum(runStates).optional(),
  outcome: z.enum(outcomes).optional(),
  requester: personName.optional(),
  breakGlass: z.enum(['used', 'not-reviewed']).optional().describe('Those that broke the glass; those of them that nobody has reviewed'),
  since: moment.optional().describe('Asked for at this time or later'),
  until: moment.optional().describe('Asked for before this time'),
  before: runId.optional().describe('The last run of the page before'),
  limit: whole(1, 200).default(50),
});

const one = { params: z.object({ id: runId }), security: needs('read'), tags: ['runs'] };

export function runRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/runs',
      {
        schema: {
          summary: 'Ask for a run. The same Idempotency-Key with the same body answers with the same run',
          tags: ['runs'],
          security: needs('start'),
          headers: idempotencyKey,
          body: newRun,
          response: { 202: acceptedSchema, ...problemAnswers(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503) },
        },
      },
      async (request, reply) => {
        const {
          created,
          request: written,
          others,
          delayed,
        } = await requestRun(parts, {
          ...request.body,
          person: request.person,
          kind: kindOf(request),
          channel: channelOf(request),
          idempotencyKey: request.headers['idempotency-key'],
        });
        if (request.body.breakGlass !== undefined) request.log.warn({ run: written.run, person: request.person }, 'the glass was broken');
        if (delayed !== undefined) request.log.warn({ err: delayed, run: written.run }, 'the run is written down and starts later');
        const { id } = runNameOf(written.run);
        const row = created ? null : await parts.control.runs.record(written.run);
        const location = `/v1/runs/${id}`;
        const answer = { run: written.run, id, state: row?.state ?? 'requested', location, created, others };
        return await reply
          .code(202)
          .header('Location', location)
          .send({ ...answer, delayed: delayed === undefined ? null : delayText(delayed) });
      },
    );
    app.get(
      '/runs',
      {
        schema: {
          summary: 'Runs, newest first',
          tags: ['runs'],
          security: needs('read'),
          querystring: page,
          response: { 200: runsSchema, ...problemAnswers(400, 401, 403, 429, 503) },
        },
      },
      async ({ query }) => {
        const runs = await parts.control.runs.list(query);
        const last = runs.length === query.limit ? runs.at(-1) : undefined;
        return { runs, next: last === undefined ? null : runNameOf(last.run).id };
      },
    );
    app.get(
      '/runs/:id',
      {
        schema: {
          ...one,
          summary: 'A run: steps, open questions, decisions, evidence',
          response: { 200: runDetailSchema, ...problemAnswers(400, 401, 403, 404, 429, 503) },
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
          response: { 200: planSchema, ...problemAnswers(400, 401, 403, 404, 429, 503) },
        },
      },
      async ({ params }) => await planOf(parts, await findRecord(parts, params.id)),
    );
  };
}

/** The run's row alone; throws `not-found`. */
export async function findRecord(parts: Pick<ApiParts, 'control'>, id: string): Promise<RunRecord> {
  const run = await parts.control.runs.record(id);
  if (!run) throw noSuchRun(id);
  return run;
}

/** With all that belongs to it; throws `not-found`. */
export async function findRun(parts: Pick<ApiParts, 'control'>, id: string): Promise<RunDetail> {
  const run = await parts.control.runs.detail(id);
  if (!run) throw noSuchRun(id);
  return run;
}

async function planOf(parts: ApiParts, run: RunRecord): Promise<Plan> {
  const stored = run.plan === null ? null : await parts.control.documents.get(run.plan);
  if (stored === null || stored === undefined) throw new Failure('not-found', `the run ${run.run} has no plan yet`, { run: run.run });
  // Checked against the Plan's schema when it is sent.
  return stored as Plan;
}

/** The rest stays in the log: it may be anything. */
function delayText(delayed: unknown): string {
  return delayed instanceof Failure ? redact(delayed.message) : 'an unexpected error; the log of the API has it';
}
