import type { FastifyBaseLogger } from 'fastify';
import { atOnce } from './at-once.ts';
import type { ApiParts } from './parts.ts';
import { startRequested } from './request-run.ts';

/** Old enough that the request which wrote the row is not at starting it any more. */
const olderThanMs = 2_000;
const startsAtOnce = 5;

/**
 * Starts the runs that are written down and were not started: the API was killed in between, or Temporal did not answer. One
 * that cannot be started does not hold up the others. Several replicas may do it at once.
 */
export async function startUnstarted(parts: Pick<ApiParts, 'control' | 'temporal'>, log: FastifyBaseLogger): Promise<void> {
  const unstarted = await parts.control.requests.unstarted(olderThanMs);
  const failed = await atOnce(startsAtOnce, unstarted, async (request) => {
    await startRequested(parts, request);
    log.info({ run: request.run }, 'started a run that was written down and not started');
  });
  if (failed.length > 0) throw failed[0];
}
