import type { FastifyBaseLogger } from 'fastify';
import { deliverAgain } from './deliver.ts';
import { Failure } from '../domain/failure.ts';
import type { ApiParts } from './parts.ts';

/** The request that wrote the row no longer sends it by then: an Update and a Signal take 5 s each at most. */
const olderThanMs = 15_000;

/**
 * Sends the decisions that are recorded and did not certainly arrive: the API was killed in between, or Temporal did not take them.
 * A run that has heard one already takes it once. One that can't be sent does not hold up the others. Several replicas may do it
 * at once. Throws when some did not arrive, so that the log says so.
 */
export async function deliverUndelivered(parts: Pick<ApiParts, 'control' | 'temporal'>, log: FastifyBaseLogger): Promise<void> {
  const failed: unknown[] = [];
  for (const decision of await parts.control.questions.undelivered(olderThanMs)) {
    try {
      const run = await parts.control.runs.record(decision.run);
      if (!run) continue;
      const { verdict, arrived } = await deliverAgain(parts, run, decision);
      const about = { run: decision.run, decision: decision.id, counts: verdict?.counts ?? null };
      if (arrived) log.info(about, 'sent a recorded decision again');
      else failed.push(new Failure('temporal-unavailable', `the decision ${decision.id} did not arrive at ${decision.run} yet`));
    } catch (error) {
      failed.push(error);
    }
  }
  if (failed.length > 0) throw failed[0];
}
