import type { FastifyBaseLogger } from 'fastify';
import { deliver } from './decide.ts';
import type { ApiParts } from './parts.ts';

/** Whoever wrote the row has given up sending it by then: an Update and a Signal take 5 s each at most. */
const olderThanMs = 15_000;

/**
 * Sends the decisions that are written down and did not surely arrive: the API was killed in between, or Temporal was, while the
 * run heard it. A run that has heard it takes it once. One that can't be sent does not hold up the others. Several replicas may do
 * it at once.
 */
export async function deliverUndelivered(parts: Pick<ApiParts, 'control' | 'temporal'>, log: FastifyBaseLogger): Promise<void> {
  const failed: unknown[] = [];
  for (const decision of await parts.control.questions.undelivered(olderThanMs)) {
    try {
      const run = await parts.control.runs.find(decision.run);
      if (!run) continue;
      const judged = await deliver(parts, run, decision);
      log.info({ run: decision.run, decision: decision.id, counts: judged?.counts ?? null }, 'sent a decision that was written down');
    } catch (error) {
      failed.push(error);
    }
  }
  if (failed.length > 0) throw failed[0];
}
