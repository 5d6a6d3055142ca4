import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { Actor, TokenRow } from '../control/contract.ts';
import { Failure } from '../domain/failure.ts';
import { personOf } from '../domain/inventory.ts';
import { isScope, type Scope } from '../domain/token.ts';
import type { ApiParts } from './parts.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The token's person; empty only before the token was checked. */
    person: string;
    /** What the request came with; null only before it was checked. */
    token: TokenRow | null;
  }
}

/** What stands in a route's entry of the OpenAPI document, and is asked of the token. */
export function needs(scope: Scope): { token: Scope[] }[] {
  return [{ token: [scope] }];
}

/**
 * Every request's first step: the bearer token's person. Throws `unauthenticated` without a valid token, `forbidden` when its
 * person is not in the inventory (any more), `rate-limited`, and `scope-missing` when the token is not for this route. No answer is
 * cached: a revoked token ends with the next request.
 */
export function requirePerson(parts: Pick<ApiParts, 'control' | 'inventory' | 'limit' | 'refusals'>): onRequestAsyncHookHandler {
  return async (request) => {
    const token = await tokenOf(parts, request);
    request.token = token;
    request.person = token.person;
    parts.limit?.take(token.id);
    requireScope(token, scopeOf(request));
  };
}

/** The request's token, as things are now, with the name of the person whose account it is of. Throws as `requirePerson`, but for the scope. */
export async function tokenOf(parts: Pick<ApiParts, 'control' | 'inventory' | 'refusals'>, request: FastifyRequest): Promise<TokenRow> {
  const row = await knownTokenOf(parts, request);
  const person = personOf(parts.inventory(), row.person);
  if (person === undefined) {
    throw new Failure('forbidden', `"${row.person}" has a token, and is not among the people of the inventory`, { person: row.person });
  }
  return { ...row, person };
}

/** Throws `unauthenticated`; and `rate-limited`, without a look at the token, when its address has tried too many. */
async function knownTokenOf({ control, refusals }: Pick<ApiParts, 'control' | 'refusals'>, request: FastifyRequest): Promise<TokenRow> {
  const bearer = bearerOf(request);
  refusals?.admit(request.ip, bearer);
  const row = await control.tokens.check(bearer);
  if (row) {
    refusals?.accepted(bearer);
    return row;
  }
  refusals?.refused(request.ip, bearer);
  throw new Failure('unauthenticated', 'the token of the request is unknown, expired or revoked');
}

function bearerOf(request: FastifyRequest): string {
  const token = /^bearer ([\x21-\x7e]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Failure('unauthenticated', 'the request has no `Authorization: Bearer …` header');
  return token;
}

/** A route that says nothing is a defect: it is refused for everybody. */
function scopeOf(request: FastifyRequest): Scope {
  const [scope] = request.routeOptions.schema?.security?.[0]?.['token'] ?? [];
  if (scope === undefined || !isScope(scope)) throw new Failure('internal', `${request.routeOptions.url ?? '?'} names no scope`);
  return scope;
}

/** Throws `scope-missing`. */
function requireScope(token: TokenRow, scope: Scope): void {
  if (token.scopes.includes(scope)) return;
  const has = token.scopes.join(', ') || 'none';
  throw new Failure('scope-missing', `this needs the scope ${scope}; the token ${token.id} has: ${has}`, { scope, token: token.id });
}

/** Who asks, for the record. */
export function actorOf(request: FastifyRequest): Actor {
  return { kind: kindOf(request), name: request.person, channel: channelOf(request) };
}

export function kindOf(request: FastifyRequest): 'person' | 'service' {
  return request.token?.kind ?? 'person';
}

/** How the request came, for the record: our own CLI names itself, everything else is `http`. */
export function channelOf(request: FastifyRequest): 'cli' | 'http' {
  return request.headers['user-agent']?.startsWith('steadyhand-cli/') === true ? 'cli' : 'http';
}
