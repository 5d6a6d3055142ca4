import type { NewRequest } from '../control/contract.ts';
import { parseDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { databaseOf } from '../domain/inventory.ts';
import { requireOthers } from '../domain/require-others.ts';
import { requireProvider } from '../domain/require-provider.ts';
import type { AnyRunbook } from '../domain/runbook.ts';
import type { TokenKind } from '../domain/token.ts';
import type { ApiParts, Catalog } from './parts.ts';
import { inputFailure } from './problems.ts';
import { requireGlassBreaker } from './require-glass-breaker.ts';
import { requireGroup } from './require-group.ts';

/** A person asks for a run, by whatever channel. */
export interface Asked {
  readonly runbook: string;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly ticket?: string | undefined;
  /** Stands in line for the lease: for so long ("2h"), or for a day when it is `true`. Absent: refused while another run holds it. */
  readonly wait?: true | string | undefined;
  /** An emergency, and why: freezes and the policy's quorum do not stop it. */
  readonly breakGlass?: string | undefined;
  readonly person: string;
  readonly kind: TokenKind;
  readonly channel: string;
  /** Scoped to the person. The same key with the same request finds the first run. */
  readonly idempotencyKey: string;
}

/**
 * What the request asks for, after every check that needs no server. Throws `not-found`, `forbidden`, `input-invalid` and
 * `plan-impossible`.
 */
export function checkedRequest(
  { inventory, catalog, provider }: Pick<ApiParts, 'inventory' | 'catalog' | 'provider'>,
  asked: Asked,
): Omit<NewRequest, 'run' | 'idempotencyKey' | 'bodyDigest'> {
  const { database, ticket, wait, breakGlass, person, kind, channel } = asked;
  const runbook = runbookOf(catalog, asked.runbook);
  requireGroup(inventory(), database, person, 'requesters', `ask for a run on "${database}"`);
  const input = inputOf(runbook, asked.input);
  const others = runbook.others?.(input) ?? {};
  requireOthers(others, database, (called) => databaseOf(inventory(), called));
  requireProvider(runbook, database, input, provider);
  if (breakGlass !== undefined) requireGlassBreaker(inventory(), database, asked);
  return {
    runbook: runbook.name,
    version: runbook.version,
    risk: runbook.risk,
    database,
    input,
    others: Object.values(others),
    requester: person,
    kind,
    channel,
    ...given({ ticket, breakGlass }),
    ...(wait === undefined ? {} : { waitMs: waitMsOf(wait) }),
  };
}

/** The catalog's runbook. Throws `not-found` naming those that there are. */
function runbookOf(catalog: Catalog, name: string): AnyRunbook {
  const runbook = Object.hasOwn(catalog, name) ? catalog[name] : undefined;
  if (!runbook) {
    throw new Failure('not-found', `there is no runbook "${name}"; there are: ${Object.keys(catalog).join(', ')}`, { runbook: name });
  }
  return runbook;
}

/** The input as the runbook's schema reads it. Throws `input-invalid` with all problems. */
function inputOf(runbook: AnyRunbook, input: unknown): Readonly<Record<string, unknown>> {
  const parsed = runbook.input.safeParse(input);
  if (!parsed.success) throw inputFailure(`the input of ${runbook.name}`, parsed.error);
  // Every runbook's input is an object; its schema's type is not known here.
  return parsed.data as Readonly<Record<string, unknown>>;
}

/** Without what was not given: it has no part in the digest. */
export function given<Value>(fields: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

const dayMs = 86_400_000;

/** How long a run stands in line. Throws `input-invalid` for a time that is none, or longer than a week. */
function waitMsOf(wait: true | string): number {
  if (wait === true) return dayMs;
  const ms = parseDuration(wait);
  if (ms !== undefined && ms > 0 && ms <= 7 * dayMs) return ms;
  const problems = [{ path: 'wait', message: 'is a time such as 2h, and at most 7d' }];
  throw new Failure('input-invalid', `"${wait}" is no time that a run could wait for a lease`, { problems });
}
