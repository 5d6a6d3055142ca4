import type { Attempt } from '../../attempt.ts';
import type { BackupFacts } from '../backup-facts.ts';
import { later } from './both-instances.ts';
import { awsCodeOf, snapshotsIn, type Rds } from './look.ts';
import { runOf } from './own.ts';

/** So many copies AWS makes into one region at a time, of all databases of the account together. */
const copiesAtMost = 20;

const underWay = new Set(['creating', 'copying', 'pending']);

/** Copies from other regions that are being made now; the run's own is not counted. */
export async function copiesUnderWay(rds: Rds, region: string, run?: string): Promise<{ now: number; atMost: number }> {
  const there = await snapshotsIn(rds, region, { SnapshotType: 'manual' });
  const others = there.filter(
    ({ SourceRegion: from, Status: status = '', TagList: tags }) =>
      from !== undefined && from !== region && underWay.has(status) && (run === undefined || runOf(tags) !== run),
  );
  return { now: others.length, atMost: copiesAtMost };
}

export async function awaitRoom(rds: Rds, { binding: { copy } }: BackupFacts, attempt: Attempt): Promise<void> {
  if (!copy) return;
  const { now, atMost } = await copiesUnderWay(rds, copy.region, attempt.run);
  if (now < atMost) return;
  throw later(rds, attempt, `${now} copies into ${copy.region} are being made, and the account may have ${atMost} at a time`);
}

/**
 * The failure of a copy, `not-yet` when there is no room for it after all: AWS has one code for that, which passes, and for a full
 * quota, which does not. Its words tell them apart.
 */
export function whenNoRoom(rds: Rds, region: string, attempt: Attempt, error: unknown): unknown {
  const noRoom =
    awsCodeOf(error) === 'SnapshotQuotaExceeded' && error instanceof Error && error.message.includes('snapshots across regions');
  return noRoom ? later(rds, attempt, `as many copies into ${region} are being made as the account may have at a time`) : error;
}
