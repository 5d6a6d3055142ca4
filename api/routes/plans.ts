import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isBlocked } from '../../domain/finding.ts';
import { summaryOf } from '../../domain/plan-summary.ts';
import { previewSchema } from '../plan-answers.ts';
import { needs } from '../bearer.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { databaseName, runbookName } from './identifiers.ts';

export const askedSchema = z.strictObject({
  runbook: runbookName,
  database: databaseName,
  input: z.record(z.string(), z.unknown()).default({}),
});

export function planRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/plans',
      {
        schema: {
          summary: 'Make a plan and run its checks: looks at the database, changes nothing, starts nothing',
          tags: ['plans'],
          security: needs('plan'),
          body: askedSchema,
          response: { 200: previewSchema, ...problemAnswers(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503) },
        },
      },
      async ({ body }) => {
        const { plan, findings } = await parts.planner.plan(body);
        return { blocked: isBlocked(findings), summary: summaryOf(plan), findings, plan };
      },
    );
  };
}
