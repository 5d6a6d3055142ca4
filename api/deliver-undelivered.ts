import type { FastifyBaseLogger } from 'fastify';
import type { DecisionRow } from '../control/contract.ts';
import { Failure } from '../domain/failure.ts';
import { atOnce } from './at-once.ts';
import { deliverAgain } from './deliver.ts';
import type { ApiParts } from './parts.ts';

/** The request that wrote the row no longer sends it by then: an Update and a Signal take 5 s each at most. */
const olderThanMs = 15_000;
const runsAtOnce = 4;

/**
 * Sends the decisions that are recorded and did not certainly arrive: the API was killed in between, or Temporal did not take them.
 * A run that has heard one already takes it once. A run gets its decisions in their order, so after one that did not arrive the others
 * of this run wait for the next pass; other runs are not held up. Several replicas may do it at once. Throws when some did not arrive,
 * so that the log says so.
 */
export async function deliverUndelivered(parts: Pick<ApiParts, 'control' | 'temporal'>, log: FastifyBaseLogger): Promise<void> {
  const byRun = Map.groupBy(await parts.control.questions.undelivered(olderThanMs), ({ run }) => run);
  const failed = await atOnce(runsAtOnce, [...byRun], async ([run, decisions]) => await deliverInOrder(parts, run, decisions, log));
  if (failed.length > 0) throw failed[0];
}

async function deliverInOrder(
  parts: Pick<ApiParts, 'control' | 'temporal'>,
  run: string,
  decisions: readonly DecisionRow[],
  log: FastifyBaseLogger,
): Promise<void> {
  const row = await parts.control.runs.record(run);
  if (!row) return;
  for (const { id, ...decision } of decisions) {
    const { verdict, arrived } = await deliverAgain(parts, row, { id, ...decision });
    if (!arrived) throw new Failure('temporal-unavailable', `the decision ${id} did not arrive at ${run} yet`);
    log.info({ run, decision: id, counts: verdict?.counts ?? null }, 'sent a recorded decision again');
  }
}
