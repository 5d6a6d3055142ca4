import type { Control, Request, RunRow } from '../../control/contract.ts';
import { chainOf, quorumText, settle, type Agreement } from '../../domain/approval.ts';
import { canonical } from '../../domain/digest.ts';
import { Failure } from '../../domain/failure.ts';
import { breakGlassOf, ruleOf } from '../../domain/break-glass.ts';
import { databaseOf, groupsOf, policyOf, type ApprovalRule, type Inventory } from '../../domain/inventory.ts';
import { requireOthers } from '../../domain/require-others.ts';
import { runNameOf, type RunStart } from '../../domain/run.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import type { Attempt } from '../attempt.ts';
import type { Admission } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';
import { parseInput } from './parse-input.ts';
import { refuseIfClosed } from './refuse-if-closed.ts';
import { refuseIfLeased } from './refuse-if-leased.ts';
import { refuseIfOthersFirst } from './refuse-if-others-first.ts';
import { othersOf } from './take-leases.ts';

/**
 * Admission inside the worker: whoever started the workflow, it goes on only when the API recorded the request for just this run
 * and this input, the input fits the schema, and the policy lets the requester ask. Reads only, so it may run any number of times.
 */
export function admit({ control, inventory, catalog, holderOpen }: EngineDependencies) {
  return async (start: RunStart & { runbook: string }, attempt: Attempt): Promise<Admission> => {
    // First, so that every other refusal is one of a run that has a row.
    const request = await requested(control, start, attempt.run);
    const row = refuseIfClosed(await control.runs.find(attempt.run));
    const { database } = runNameOf(attempt.run);
    const runbook = Object.hasOwn(catalog, start.runbook) ? catalog[start.runbook] : undefined;
    if (!runbook) throw new Failure('not-found', `there is no runbook "${start.runbook}"`);
    const input = parseInput(runbook, start.input);
    if (canonical(input) !== canonical(parseInput(runbook, request.input))) {
      throw new Failure('input-invalid', 'the input of the workflow is not the one that was requested', { request: request.id });
    }
    requireOthers(runbook.others?.(input) ?? {}, database, (called) => databaseOf(inventory(), called));
    const policy = policyOf(inventory(), database);
    const groups = groupsOf(inventory(), database, request.requester);
    if (!policy.requesters.some((group) => groups.includes(group))) {
      throw new Failure('forbidden', `${request.requester} may not ask for runs on ${database}: ${policy.requesters.join(', ')} may`);
    }
    const rule = ruleOf(inventory(), database, runbook.risk, (row?.breakGlass ?? null) !== null);
    requireGlassBreaker(inventory(), database, row);
    requireApprovers(inventory(), runbook, rule, request);
    refuseIfFrozen(row);
    const waits = (row?.waits ?? null) !== null;
    // Told now rather than after people have agreed. The lease itself is taken before the first change, and may be gone by then.
    if (!waits) {
      for (const one of [database, ...othersOf(runbook, input)]) {
        // The line first: a run leaves it by taking the lease, so at one of the two looks it is there.
        const [line] = await Promise.allSettled([refuseIfOthersFirst({ control, holderOpen }, one, attempt.run)]);
        await refuseIfLeased({ control, holderOpen }, one, attempt.run);
        if (line.status === 'rejected') throw line.reason;
      }
    }
    const { requester, ticket } = request;
    const admission = { database, requester, ticket, input, risk: runbook.risk, approval: rule };
    return waits ? { ...admission, waits } : admission;
  };
}

async function requested(control: Control, start: RunStart & { runbook: string }, run: string): Promise<Request> {
  if (typeof start.request !== 'string') throw new Failure('request-unknown', 'the run was started without the id of a request');
  const request = await control.requests.find(start.request);
  if (request?.run === run && request.runbook === start.runbook) return request;
  throw new Failure('request-unknown', `the API has recorded no request for the run ${run}`, { request: start.request });
}

/** Told now rather than when the question has expired: that there are not enough people besides the requester. */
function requireApprovers(inventory: Inventory, runbook: AnyRunbook, rule: ApprovalRule, { database, requester }: Request): void {
  const asks = Object.values(runbook.steps).some((step) => step.kind === 'approval');
  if (rule === 'auto' || !asks) return;
  const others = inventory.people.filter((one) => one.name !== requester);
  const all = others.map(({ name }): Agreement => ({ person: name, groups: groupsOf(inventory, database, name), choice: 'approve' }));
  const later = chainOf(rule, 0).flatMap((one) => (one.quorum ? [one.quorum] : []));
  if ([rule.quorum, ...later].some((quorum) => settle(quorum, all) === 'approve')) return;
  throw new Failure(
    'plan-impossible',
    `nobody could agree to it: ${quorumText(rule.quorum)} are needed, not counting ${requester}, who asks`,
  );
}

/** Whoever broke the glass must be of the policy's people still. */
function requireGlassBreaker(inventory: Inventory, database: string, row: RunRow | null): void {
  if (!row?.breakGlass || row.plan !== null) return;
  const { groups } = breakGlassOf(inventory, database);
  const { person } = row.breakGlass;
  if (groupsOf(inventory, database, person).some((group) => groups.includes(group))) return;
  throw new Failure('forbidden', `${person} may not break the glass of ${database}: ${groups.join(', ') || 'nobody'} may`);
}

/** A run that was planned before goes on, after a reset too: it stands still before its next change. */
function refuseIfFrozen(row: RunRow | null): void {
  if (row?.frozen && row.plan === null) throw new Failure('frozen', row.frozen.text, { freeze: row.frozen.id });
}
