import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { databaseOf } from '../../domain/inventory.ts';
import { planSchema } from '../answers.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { inputOf, runbookOf } from '../request-run.ts';
import { authorised, databaseName, runbookName } from './identifiers.ts';

export const askedSchema = z.strictObject({ runbook: runbookName, database: databaseName, input: z.record(z.string(), z.unknown()).default({}) });

export function planRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/plans',
      {
        schema: {
          summary: 'Make a plan: looks at the database, changes nothing, starts nothing',
          tags: ['plans'],
          security: authorised,
          body: askedSchema,
          response: { 200: planSchema, ...problemAnswers(400, 401, 403, 404, 409, 413, 415, 422, 500, 502, 503) },
        },
      },
      async ({ body: { runbook: name, database, input: given } }) => {
        const runbook = runbookOf(parts.catalog, name);
        databaseOf(parts.inventory(), database);
        return await parts.planner.plan({ runbook: name, database, input: inputOf(runbook, given) });
      },
    );
  };
}
