import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { databaseOf } from '../../domain/inventory.ts';
import { overdueProofs } from '../../domain/overdue-proof.ts';
import { needs } from '../bearer.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { proofsSchema } from '../proof-answers.ts';
import { databaseName, proofId, whole } from './identifiers.ts';

const page = z.strictObject({
  database: databaseName.optional().describe('Only of this one'),
  before: proofId.optional().describe('The last proof of the page before'),
  limit: whole(1, 200).default(50),
});

/** What was restored and looked at. */
export function proofRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/proofs',
      {
        schema: {
          summary: 'The ledger of proofs: restores that were made and looked at, newest first; and databases without a recent one',
          tags: ['proofs'],
          security: needs('read'),
          querystring: page,
          response: { 200: proofsSchema, ...problemAnswers(400, 401, 403, 404, 429, 503) },
        },
      },
      async ({ query }) => {
        const inventory = parts.inventory();
        if (query.database !== undefined) databaseOf(inventory, query.database);
        const [proofs, proved] = await Promise.all([parts.control.proofs.list(query), parts.control.proofs.last()]);
        const overdue = overdueProofs(inventory, proved, Date.now());
        const last = proofs.length === query.limit ? proofs.at(-1) : undefined;
        const concerned = overdue.filter((one) => query.database === undefined || one.database === query.database);
        return { proofs: [...proofs], next: last?.id ?? null, overdue: concerned };
      },
    );
  };
}
