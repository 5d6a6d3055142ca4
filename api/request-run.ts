import { ulid } from 'ulid';
import type { Control, OpenRun, Request } from '../control/contract.ts';
import { digestOf } from '../domain/digest.ts';
import { parseDuration } from '../domain/duration.ts';
import { Failure, reportOf } from '../domain/failure.ts';
import { databaseOf, groupsOf, policyOf, type Inventory } from '../domain/inventory.ts';
import { requireProvider } from '../domain/require-provider.ts';
import { requireOthers } from '../domain/require-others.ts';
import { workflowIdOf } from '../domain/run.ts';
import type { AnyRunbook } from '../domain/runbook.ts';
import type { TokenKind } from '../domain/token.ts';
import { requireGlassBreaker } from './require-glass-breaker.ts';
import type { ApiParts, Catalog } from './parts.ts';
import { inputFailure } from './problems.ts';

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

interface Written {
  readonly created: boolean;
  readonly request: Request;
}

export interface Accepted extends Written {
  /** Other open runs on its databases. */
  readonly others: OpenRun[];
  /** Why the workflow could not be started yet; the row stands and the sweeper starts it. */
  readonly delayed?: unknown;
}

/** Other open runs on the databases of a request. An input that the schema does not fit any more names none. */
async function othersOpen({ control, catalog }: Pick<ApiParts, 'control' | 'catalog'>, request: Request): Promise<OpenRun[]> {
  const runbook = catalog[request.runbook];
  const input: unknown = runbook?.input.safeParse(request.input).data;
  const named = input === undefined ? {} : (runbook?.others?.(input) ?? {});
  return await control.runs.openOn([request.database, ...Object.values(named)], request.run);
}

/**
 * Admits a request, writes it down, and starts its workflow. Throws `not-found`, `forbidden`, `input-invalid`, `plan-impossible`, `frozen`,
 * `idempotency-key-reused`, `temporal-unavailable`, and `search-attributes-missing` *before* anything is written. Once the row is there the run is on its way,
 * whatever happens to this process. Asking twice with one key starts one run; the second time it is only found, whatever Temporal,
 * the inventory or the runbook's schema say by then.
 */
export async function requestRun(parts: ApiParts, asked: Asked): Promise<Accepted> {
  const { runbook: name, database, input, ticket, wait, breakGlass, person, kind, channel, idempotencyKey } = asked;
  const key = {
    requester: person,
    idempotencyKey,
    bodyDigest: digestOf({ runbook: name, database, input, ticket: ticket ?? null, ...given({ wait, breakGlass }) }),
  };
  // Asked at once, since each question takes its time; the answers count in the order below.
  const frozen = early(breakGlass === undefined ? refuseIfFrozen(parts, [database]) : Promise.resolve());
  const ready = early(parts.temporal.ready());
  const repeated = await parts.control.requests.repeated(key);
  if (repeated) return await begun(parts, { created: false, request: repeated });
  const runbook = runbookOf(parts.catalog, name);
  requireGroup(parts.inventory(), database, person, 'requesters', `ask for a run on "${database}"`);
  const admitted = inputOf(runbook, input);
  const others = runbook.others?.(admitted) ?? {};
  requireOthers(others, database, (called) => databaseOf(parts.inventory(), called));
  requireProvider(runbook, database, admitted, parts.provider);
  await frozen;
  if (breakGlass === undefined) await refuseIfFrozen(parts, Object.values(others));
  else requireGlassBreaker(parts.inventory(), database, asked);
  await ready;
  const written = await parts.control.requests.create({
    run: workflowIdOf({ runbook: name, database, id: ulid() }),
    runbook: name,
    version: runbook.version,
    risk: runbook.risk,
    database,
    input: admitted,
    others: Object.values(others),
    kind,
    channel,
    ...given({ ticket, breakGlass }),
    ...(wait === undefined ? {} : { waitMs: waitMsOf(wait) }),
    ...key,
  });
  return await begun(parts, written);
}

/** What has begun and is awaited later, or never when something else decides first: then its failure is nobody's. */
function early(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}

/** Starts what is not known to be started; the sweeper does it when that fails here. */
async function begun(parts: ApiParts, written: Written): Promise<Accepted> {
  const [delay, others] = await Promise.all([delayOf(parts, written), othersOpen(parts, written.request)]);
  return { ...written, ...delay, others };
}

async function delayOf(parts: ApiParts, { created, request }: Written): Promise<Pick<Accepted, 'delayed'>> {
  if (request.startedAt !== null) return {};
  try {
    // Nothing can have closed a run that this request has just created.
    await (created ? start(parts, request) : startRequested(parts, request));
    return {};
  } catch (delayed) {
    return { delayed };
  }
}

/**
 * Starts the workflow of a request that is written down. Harmless when it was started before: also long after it has ended, when
 * Temporal may have forgotten that there was a workflow of this id.
 */
export async function startRequested(parts: Pick<ApiParts, 'control' | 'temporal'>, request: Request): Promise<void> {
  const row = await parts.control.runs.record(request.run);
  if (row?.state !== 'closed') await start(parts, request);
}

async function start(parts: Pick<ApiParts, 'control' | 'temporal'>, request: Request): Promise<void> {
  try {
    await parts.temporal.start(request);
  } catch (error) {
    await recordWhy(parts.control, request.run, error);
    throw error;
  }
  await parts.control.requests.started(request.id);
}

/** For the people who look at the run. Once for each cause, since it is tried every two seconds. Making the plan clears it. */
async function recordWhy({ runs }: Control, run: string, error: unknown): Promise<void> {
  if (!(error instanceof Failure)) return;
  const row = await runs.record(run);
  if (row?.state !== 'requested' || row.failure?.code === error.code) return;
  await runs.change(row.run, { failure: reportOf(error) });
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
function given<Value>(fields: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
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

/** Told before anything is written. The worker looks again, and before each change. */
async function refuseIfFrozen({ control }: ApiParts, databases: readonly string[]): Promise<void> {
  for (const database of databases) {
    const freeze = await control.freezes.of(database);
    if (freeze) throw new Failure('frozen', freeze.text, { freeze: freeze.id, person: freeze.person, until: freeze.until });
  }
}

/** Throws `forbidden`, naming the groups that may, when the person is in none of them now. */
export function requireGroup(
  inventory: Inventory,
  database: string,
  person: string,
  right: 'requesters' | 'operators',
  what: string,
): void {
  const allowed = policyOf(inventory, database)[right];
  if (groupsOf(inventory, database, person).some((group) => allowed.includes(group))) return;
  throw new Failure('forbidden', `${person} may not ${what}; people of these groups may: ${allowed.join(', ')}`, {
    person,
    groups: allowed,
  });
}
