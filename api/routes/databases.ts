import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { policyOf, type Inventory } from '../../domain/inventory.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import { databaseSchema, runbookSchema } from '../answers.ts';
import { needs } from '../bearer.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';

/** What there is to work on, and to work with. */
export function databaseRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/databases',
      {
        schema: {
          summary: 'The databases of the inventory',
          tags: ['inventory'],
          security: needs('read'),
          response: { 200: z.object({ databases: z.array(databaseSchema) }), ...problemAnswers(401, 403, 429, 503) },
        },
      },
      async () => ({ databases: databasesOf(parts.inventory()) }),
    );
    app.get(
      '/runbooks',
      {
        schema: {
          summary: 'The runbooks, each with the JSON Schema of its input',
          tags: ['inventory'],
          security: needs('read'),
          response: { 200: z.object({ runbooks: z.array(runbookSchema) }), ...problemAnswers(401, 403, 429, 503) },
        },
      },
      async () => ({ runbooks: Object.values(parts.catalog).map(described) }),
    );
  };
}

function databasesOf(inventory: Inventory): z.infer<typeof databaseSchema>[] {
  return Object.entries(inventory.databases).map(([name, entry]) => {
    const { requesters, operators } = policyOf(inventory, name);
    const { description = null, provider, owners, policy } = entry;
    return { name, description, provider, owners, policy, requesters, operators, pooled: entry.pooler !== undefined };
  });
}

function described(runbook: AnyRunbook): z.infer<typeof runbookSchema> {
  const { name, version, risk, summary } = runbook;
  const steps = Object.entries(runbook.steps).map(([id, step]) => ({
    id,
    kind: step.kind,
    title: step.title,
    skippable: step.skippable ?? false,
    pointOfNoReturn: step.pointOfNoReturn ?? false,
  }));
  return { name, version, risk, summary, input: { ...z.toJSONSchema(runbook.input, { io: 'input', unrepresentable: 'any' }) }, steps };
}
