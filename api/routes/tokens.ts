import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TokenRow } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import { everyScope, tokenKinds } from '../../domain/token.ts';
import { madeTokenSchema, tokenSchema } from '../answers.ts';
import { actorOf, needs } from '../bearer.ts';
import type { ApiParts } from '../parts.ts';
import { problemAnswers } from '../problems.ts';

const yearSeconds = 366 * 86_400;
const seconds = z.int().max(10 * yearSeconds);

const newToken = z.strictObject({
  kind: z.enum(tokenKinds).default('service').describe('A service’s token may answer questions only where the policy says so'),
  scopes: z.array(z.enum(everyScope)).min(1).describe('Of those that your own token has'),
  note: z.string().max(200).trim().min(1).optional(),
  expiresInSeconds: seconds.min(60).optional().describe('Not later than your own token; default: with it'),
});

const rotation = z.strictObject({
  overlapSeconds: seconds.min(0).max(yearSeconds).default(86_400).describe('How long every earlier secret stays valid, at most'),
});

const one = {
  params: z.object({ id: z.string().regex(/^[0-9a-z]{1,40}$/, 'the id of a token') }),
  security: needs('tokens'),
  tags: ['tokens'],
};
const problems = problemAnswers(400, 401, 403, 404, 409, 413, 415, 429, 500, 503);

/** One's own tokens. Those of others are made and ended on the service's own machine. */
export function tokenRoutes(parts: ApiParts): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/tokens',
      {
        schema: {
          summary: 'The tokens of your name, without their secrets',
          tags: ['tokens'],
          security: needs('tokens'),
          response: { 200: z.object({ tokens: z.array(tokenSchema) }), ...problemAnswers(401, 403, 429, 503) },
        },
      },
      async (request) => ({ tokens: await parts.control.tokens.list(request.person) }),
    );
    app.post(
      '/tokens',
      {
        schema: {
          summary: 'Make a further token of your name, which may do no more and lives no longer than yours',
          tags: ['tokens'],
          security: needs('tokens'),
          body: newToken,
          response: { 201: madeTokenSchema, ...problems },
        },
      },
      async (request, reply) => {
        const { kind, scopes, note, expiresInSeconds } = request.body;
        const own = ownToken(request);
        const expiresInMs = requireLess(own, { kind, scopes, expiresInMs: expiresInSeconds && expiresInSeconds * 1_000 });
        const asked = { person: own.person, kind, scopes, actor: actorOf(request) };
        const { token, row } = await parts.control.tokens.create({
          ...asked,
          ...(note === undefined ? {} : { note }),
          ...(expiresInMs === undefined ? {} : { expiresInMs }),
        });
        return await reply.code(201).send({ ...row, token });
      },
    );
    app.post(
      '/tokens/:id/rotate',
      {
        schema: {
          ...one,
          summary: 'A new secret for a token; the old one is valid for the overlap',
          body: rotation,
          response: { 200: madeTokenSchema, ...problems },
        },
      },
      async (request) => {
        const { id } = await findOwn(parts, request, request.params.id);
        const overlapMs = request.body.overlapSeconds * 1_000;
        const { token, row } = await parts.control.tokens.rotate(id, { overlapMs, actor: actorOf(request) });
        return { ...row, token };
      },
    );
    app.post(
      '/tokens/:id/revoke',
      {
        schema: {
          ...one,
          summary: 'End a token, with all its secrets',
          body: z.strictObject({}),
          response: { 200: tokenSchema, ...problems },
        },
      },
      async (request) => {
        const { id } = await findOwn(parts, request, request.params.id);
        await parts.control.tokens.revoke(id, actorOf(request));
        return await findOwn(parts, request, id);
      },
    );
  };
}

function ownToken({ token }: FastifyRequest): TokenRow {
  if (token === null) throw new Failure('internal', 'the token of the request was not checked');
  return token;
}

/** A token of the same name that is no more than the one that asks: else a stolen service token could make itself a person's. */
async function findOwn(parts: ApiParts, request: FastifyRequest, id: string): Promise<TokenRow> {
  const own = ownToken(request);
  const found = (await parts.control.tokens.list(own.person)).find((row) => row.id === id);
  if (!found) throw new Failure('not-found', `${own.person} has no token ${id}; GET /v1/tokens lists them`, { token: id });
  requireLess(own, { kind: found.kind, scopes: found.scopes });
  return found;
}

/** Throws `forbidden` for what the asking token is not itself; returns the time to live that it may give. */
function requireLess(own: TokenRow, asked: Pick<TokenRow, 'kind' | 'scopes'> & { expiresInMs?: number | undefined }): number | undefined {
  if (own.kind === 'service' && asked.kind === 'person') throw new Failure('forbidden', 'a service’s token cannot act for a person’s');
  const more = asked.scopes.filter((scope) => !own.scopes.includes(scope));
  if (more.length > 0) throw new Failure('forbidden', `the token ${own.id} does not have these scopes itself: ${more.join(', ')}`);
  const left = own.expiresAt === null ? undefined : Date.parse(own.expiresAt) - Date.now();
  if (left === undefined || asked.expiresInMs === undefined) return asked.expiresInMs ?? left;
  if (asked.expiresInMs > left) throw new Failure('forbidden', `the token ${own.id} itself ends at ${own.expiresAt ?? ''}`);
  return asked.expiresInMs;
}
