import { canonical } from '../../domain/digest.ts';
import { Failure } from '../../domain/failure.ts';
import { groupsOf, policyOf } from '../../domain/inventory.ts';
import { runNameOf, type RunStart } from '../../domain/run.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import type { Attempt } from '../attempt.ts';
import type { Admission } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';

/**
 * Admission inside the worker: whoever started the workflow, it goes on only when the API recorded the request for just this run
 * and this input, the input fits the schema, and the policy lets the requester ask. Reads only, so it may run any number of times.
 */
export function admit({ control, inventory, catalog, holderOpen }: EngineDependencies) {
  return async (start: RunStart & { runbook: string }, attempt: Attempt): Promise<Admission> => {
    const { database } = runNameOf(attempt.run);
    const runbook = catalog[start.runbook];
    if (!runbook) throw new Failure('not-found', `there is no runbook "${start.runbook}"`);
    if (typeof start.request !== 'string') throw new Failure('request-unknown', 'the run was started without the id of a request');
    const request = await control.requests.find(start.request);
    if (!request || request.run !== attempt.run || request.runbook !== runbook.name) {
      throw new Failure('request-unknown', `the API has recorded no request for the run ${attempt.run}`, { request: start.request });
    }
    const input = parseInput(runbook, start.input);
    if (canonical(input) !== canonical(parseInput(runbook, request.input))) {
      throw new Failure('input-invalid', 'the input of the workflow is not the one that was requested', { request: request.id });
    }
    const policy = policyOf(inventory(), database);
    const groups = groupsOf(inventory(), database, request.requester);
    if (!policy.requesters.some((group) => groups.includes(group))) {
      throw new Failure('forbidden', `${request.requester} may not ask for runs on ${database}: ${policy.requesters.join(', ')} may`);
    }
    await refuseIfLeased({ control, holderOpen }, database, attempt.run);
    const { requester, ticket } = request;
    return { database, requester, ticket, input, risk: runbook.risk, approval: policy.approvals[runbook.risk] };
  };
}

/** Told now rather than after people have agreed. The lease itself is taken before the first change, and may be gone by then. */
async function refuseIfLeased(
  { control, holderOpen }: Pick<EngineDependencies, 'control' | 'holderOpen'>,
  database: string,
  run: string,
): Promise<void> {
  const lease = await control.lease.find(database);
  if (!lease || lease.state === 'free' || lease.holder === run) return;
  const { holder } = lease;
  if (lease.state === 'held' && (await holderOpen(holder))) {
    throw new Failure('lease-held', `the lease of ${database} is held by ${holder}`, { database, holder });
  }
  const left = (await control.attempts.unsettled(holder)).map((intent) => `${intent.step}: ${intent.key}`);
  if (left.length > 0) {
    throw new Failure('lease-orphaned', `the run ${holder} ended and left on ${database}: ${left.join('; ')}`, { database, holder, left });
  }
}

/** The parsed input, with its defaults. Throws `input-invalid` with every problem and its path. */
export function parseInput(runbook: AnyRunbook, input: unknown): Readonly<Record<string, unknown>> {
  const parsed = runbook.input.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({ path: issue.path.map(String).join('.'), message: issue.message }));
  const list = problems.map((one) => `${one.path || 'input'}: ${one.message}`).join('; ');
  throw new Failure('input-invalid', `the input of ${runbook.name}: ${list}`, { problems });
}
