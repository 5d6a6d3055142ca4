import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { notYet } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { hasArrived } from './arrived.ts';
import { marker } from './commands.ts';
import { bytesText } from '../../domain/bytes.ts';
import { changing, looking, type Sides } from './side.ts';
import { healthySlot } from './slot-health.ts';
import { healthySubscription } from './subscription-health.ts';

const lookAgainMs = 1_000;
const markerWithinMs = 5_000;

/**
 * Looks once whether the target is less than the limit behind, and then whether it reaches a marker that is written now. Else
 * throws `not-yet`. Raises `replication-failed` when the subscription stopped or the slot has lost WAL.
 */
export async function catchUp(sides: Sides, attempt: Attempt): Promise<{ lagBytes: number; markerMs: number }> {
  await looking(sides, 'target', async (session) => await healthySubscription(sides, session, attempt.tag));
  const lagBytes = await looking(sides, 'source', async (session) => await lag(sides, session, attempt.tag));
  const limit = sides.migration.limits.lagBytes;
  if (lagBytes > limit) {
    const summary = `${bytesText(lagBytes)} behind, the limit is ${bytesText(limit)}`;
    attempt.progress({ summary });
    throw notYet(summary, lookAgainMs);
  }
  const markerMs = await followMarker(sides, attempt);
  attempt.progress({ summary: `${bytesText(lagBytes)} behind, a marker took ${markerMs} ms`, fraction: 1 });
  return { lagBytes, markerMs };
}

async function lag(sides: Sides, session: Session, tag: string): Promise<number> {
  const { active, behind } = await healthySlot(sides, session, tag);
  if (!active || behind === null) throw notYet(`the target is not connected to ${sides.migration.source}`, lookAgainMs);
  return behind;
}

/** Milliseconds from the marker's commit on the source until the target has applied everything before it. */
async function followMarker(sides: Sides, attempt: Attempt): Promise<number> {
  return await looking(sides, 'target', async (session) => {
    await attempt.intend({});
    const [sent] = await changing(sides, 'source', attempt, async (writer) => {
      return await writer.run<{ lsn: string }>(marker('source'), { token: randomUUID() });
    });
    const start = performance.now();
    await attempt.settle('made');
    while (performance.now() - start < markerWithinMs) {
      attempt.signal.throwIfAborted();
      if (sent && (await hasArrived(session, attempt.tag, sent.lsn))) return Math.round(performance.now() - start);
      await wait(10);
    }
    throw notYet(`a marker has not arrived within ${markerWithinMs / 1_000} s`, lookAgainMs);
  });
}
