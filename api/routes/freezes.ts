import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import { freezeSchema } from '../answers.ts';
import { actorOf, needs } from '../bearer.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { requireGroup } from '../require-group.ts';
import { databaseName, moment, reason } from './identifiers.ts';

const shared = { security: needs('lease'), tags: ['freezes'] };

const newFreeze = z.strictObject({
  database: databaseName.nullable().default(null).describe('null, or left out: every database'),
  reason,
  until: moment.nullable().default(null).describe('When it ends by itself; null, or left out: when somebody lifts it'),
});

const freezeId = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26}$/, 'a freeze is named by its ULID, 26 characters')
  .transform((text) => text.toUpperCase());

const past = z.enum(['true', 'false']).default('false').describe('true: those that are lifted or over, too');

export function freezeRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/freezes',
      {
        schema: {
          ...shared,
          security: needs('read'),
          summary: 'The freezes that hold, newest first',
          querystring: z.strictObject({ past }),
          response: { 200: z.object({ freezes: z.array(freezeSchema) }), ...problemAnswers(400, 401, 403, 429, 503) },
        },
      },
      async ({ query }) => ({ freezes: await parts.control.freezes.list({ past: query.past === 'true' }) }),
    );
    app.post(
      '/freezes',
      {
        schema: {
          ...shared,
          summary: 'Freeze a database, or every one: no change begins there. Saying the same twice is harmless',
          body: newFreeze,
          response: { 200: freezeSchema, ...problemAnswers(400, 401, 403, 404, 413, 415, 422, 429, 500, 503) },
        },
      },
      async (request) => {
        const { database, reason: why, until } = request.body;
        requireOperator(parts, database, request.person, 'freeze');
        const ends = until === null ? null : new Date(until).toISOString();
        if (ends !== null && Date.parse(ends) <= Date.now()) throw tooEarly();
        return await parts.control.freezes.on({ database, reason: why, until: ends, by: actorOf(request) });
      },
    );
    app.post(
      '/freezes/:id/lift',
      {
        schema: {
          ...shared,
          summary: 'Lift a freeze; one that is lifted or over stays as it is',
          params: z.object({ id: freezeId }),
          body: z.strictObject({ reason }),
          response: { 200: freezeSchema, ...problemAnswers(400, 401, 403, 404, 413, 415, 429, 500, 503) },
        },
      },
      async (request) => {
        const { database } = await parts.control.freezes.find(request.params.id);
        requireOperator(parts, database, request.person, 'lift the freeze of');
        return await parts.control.freezes.off(request.params.id, actorOf(request), request.body.reason);
      },
    );
  };
}

/** A freeze of everything concerns every database: it takes an operator of all of them. A database that is gone is nobody's. */
function requireOperator(parts: ApiParts, database: string | null, person: string, what: string): void {
  const inventory = parts.inventory();
  const all = Object.keys(inventory.databases);
  const concerned = database === null || (what !== 'freeze' && !all.includes(database)) ? all : [database];
  for (const one of concerned) requireGroup(inventory, one, person, 'operators', `${what} "${one}"`);
}

function tooEarly(): Failure {
  const problems = [{ path: 'body.until', message: 'is over already: name a time to come, or none' }];
  return new Failure('input-invalid', 'the freeze would be over already', { problems });
}
