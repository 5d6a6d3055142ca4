import { ulid } from 'ulid';
import type { Control, NewRequest, OpenRun, Request } from '../control/contract.ts';
import { digestOf } from '../domain/digest.ts';
import { Failure, reportOf } from '../domain/failure.ts';
import { workflowIdOf } from '../domain/run.ts';
import { afterwards } from './afterwards.ts';
import { checkedRequest, given, type Asked } from './checked-request.ts';
import type { ApiParts } from './parts.ts';

type Key = Pick<NewRequest, 'requester' | 'idempotencyKey' | 'bodyDigest'>;

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

/**
 * Admits a request, writes it down, and starts its workflow. Throws `not-found`, `forbidden`, `input-invalid`, `plan-impossible`, `frozen`,
 * `idempotency-key-reused`, `temporal-unavailable`, and `search-attributes-missing` *before* anything is written. Once the row is there the run is on its way,
 * whatever happens to this process. Asking twice with one key starts one run; the second time it is only found, whatever Temporal,
 * the inventory or the runbook's schema say by then.
 */
export async function requestRun(parts: ApiParts, asked: Asked): Promise<Accepted> {
  const key = keyOf(asked);
  const ready = parts.temporal.ready();
  // Where something else rejects the request first, nobody awaits it.
  ready.catch(() => undefined);
  let checked: ReturnType<typeof checkedRequest>;
  try {
    checked = checkedRequest(parts, asked);
    await ready;
  } catch (rejection) {
    return await foundRequest(parts, key, rejection);
  }
  const { runbook, database } = checked;
  const run = workflowIdOf({ runbook, database, id: ulid() });
  const { others, ...written } = await parts.control.requests.admit({ ...checked, ...key, run });
  return { ...written, ...(await delayOf(parts, written)), others };
}

function keyOf({ runbook, database, input, ticket, wait, breakGlass, person, idempotencyKey }: Asked): Key {
  const body = { runbook, database, input, ticket: ticket ?? null, ...given({ wait, breakGlass }) };
  return { requester: person, idempotencyKey, bodyDigest: digestOf(body) };
}

/** The run that was asked for with this key before; throws the rejection when there is none. */
async function foundRequest(parts: ApiParts, key: Key, rejection: unknown): Promise<Accepted> {
  const request = await parts.control.requests.repeated(key);
  if (!request) throw rejection;
  const found = { created: false, request };
  const [delay, others] = await Promise.all([delayOf(parts, found), othersOpen(parts, request)]);
  return { ...found, ...delay, others };
}

/** Other open runs on the databases of a request. An input that the schema does not fit any more names none. */
async function othersOpen({ control, catalog }: Pick<ApiParts, 'control' | 'catalog'>, request: Request): Promise<OpenRun[]> {
  const runbook = catalog[request.runbook];
  const input: unknown = runbook?.input.safeParse(request.input).data;
  const named = input === undefined ? {} : (runbook?.others?.(input) ?? {});
  return await control.runs.openOn([request.database, ...Object.values(named)], request.run);
}

/** Starts what is not known to be started; the sweeper does it when that fails here. */
async function delayOf(parts: ApiParts, { created, request }: Written): Promise<Pick<Accepted, 'delayed'>> {
  if (request.startedAt !== null) return {};
  try {
    // Nothing can have closed a run that this request has just created.
    if (!created) await startRequested(parts, request);
    else {
      await start(parts, request);
      // Where this is lost, the sweeper starts the run once more, which changes nothing, and writes it.
      afterwards(() => parts.control.requests.started(request.id));
    }
    return {};
  } catch (delayed) {
    return { delayed };
  }
}

/**
 * Starts the workflow of a request that is written down, and writes that. Harmless when it was started before: also long after it has
 * ended, when Temporal may have forgotten that there was a workflow of this id.
 */
export async function startRequested(parts: Pick<ApiParts, 'control' | 'temporal'>, request: Request): Promise<void> {
  const row = await parts.control.runs.record(request.run);
  if (row?.state === 'closed') return;
  await start(parts, request);
  await parts.control.requests.started(request.id);
}

async function start(parts: Pick<ApiParts, 'control' | 'temporal'>, request: Request): Promise<void> {
  try {
    await parts.temporal.start(request);
  } catch (error) {
    await recordWhy(parts.control, request.run, error);
    throw error;
  }
}

/** For the people who look at the run. Once for each cause, since it is tried every two seconds. Making the plan clears it. */
async function recordWhy({ runs }: Control, run: string, error: unknown): Promise<void> {
  if (!(error instanceof Failure)) return;
  const row = await runs.record(run);
  if (row?.state !== 'requested' || row.failure?.code === error.code) return;
  await runs.change(row.run, { failure: reportOf(error) });
}
