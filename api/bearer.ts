import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { Failure } from '../domain/failure.ts';
import type { ApiParts } from './parts.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The token's person; empty only before the token was checked. */
    person: string;
  }
}

/**
 * Every request's first step: the bearer token's person. Throws `unauthenticated` without a valid token, `forbidden` when its
 * person is not in the inventory (any more). Nothing is cached: a revoked token ends with the next request.
 */
export function requirePerson(parts: Pick<ApiParts, 'control' | 'inventory'>): onRequestAsyncHookHandler {
  return async (request) => {
    request.person = await personOf(parts, request);
  };
}

/** The person of the request's token, as things are now. Throws as `requirePerson`. */
export async function personOf(parts: Pick<ApiParts, 'control' | 'inventory'>, request: FastifyRequest): Promise<string> {
  const row = await parts.control.tokens.check(bearerOf(request));
  if (!row) throw new Failure('unauthenticated', 'the token of the request is unknown, expired or revoked');
  if (!parts.inventory().people.some((one) => one.name === row.person)) {
    throw new Failure('forbidden', `"${row.person}" has a token, and is not among the people of the inventory`, { person: row.person });
  }
  return row.person;
}

function bearerOf(request: FastifyRequest): string {
  const token = /^bearer ([\x21-\x7e]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Failure('unauthenticated', 'the request has no `Authorization: Bearer …` header');
  return token;
}

/** How the request came, for the record: our own CLI names itself, everything else is `http`. */
export function channelOf(request: FastifyRequest): 'cli' | 'http' {
  return request.headers['user-agent']?.startsWith('steadyhand-cli/') === true ? 'cli' : 'http';
}
