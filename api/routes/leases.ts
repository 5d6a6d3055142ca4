import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { databaseOf } from '../../domain/inventory.ts';
import { leaseSchema, leasesSchema } from '../answers.ts';
import { actorOf, needs } from '../bearer.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';
import { requireGroup } from '../require-group.ts';
import { databaseName, reason } from './identifiers.ts';

const one = { params: z.object({ database: databaseName }), security: needs('read'), tags: ['leases'] };

export function leaseRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/leases',
      {
        schema: {
          summary: 'All leases that were ever taken: who has them, since when, and why',
          tags: ['leases'],
          security: needs('read'),
          response: { 200: leasesSchema, ...problemAnswers(401, 403, 503) },
        },
      },
      async () => ({ leases: await parts.control.lease.list() }),
    );
    app.get(
      '/leases/:database',
      {
        schema: {
          ...one,
          summary: 'Who may change the database now',
          response: { 200: leaseSchema, ...problemAnswers(400, 401, 403, 404, 429, 503) },
        },
      },
      async ({ params: { database } }) => await leaseOf(parts, database),
    );
    app.post(
      '/leases/:database/release',
      {
        schema: {
          ...one,
          security: needs('lease'),
          summary: 'Free a lease whose run has ended; 409 while the run is open',
          body: z.strictObject({ reason }),
          response: { 200: leaseSchema, ...problemAnswers(400, 401, 403, 404, 409, 413, 415, 429, 500, 503) },
        },
      },
      async (request) => {
        const { database } = request.params;
        requireGroup(parts.inventory(), database, request.person, 'operators', `release the lease of "${database}"`);
        const holderOpen = async (run: string): Promise<boolean> => (await parts.temporal.look(run)).status === 'open';
        await parts.control.lease.release(database, actorOf(request), request.body.reason, holderOpen);
        return await leaseOf(parts, database);
      },
    );
  };
}

/** A database that no run ever changed has a free lease too. Throws `not-found` for one that is not in the inventory. */
async function leaseOf(parts: ApiParts, database: string): Promise<z.infer<typeof leaseSchema>> {
  databaseOf(parts.inventory(), database);
  return (await parts.control.lease.find(database)) ?? { database, state: 'free', holder: null, epoch: 0, since: null };
}
