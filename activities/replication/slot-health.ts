import { Failure } from '../../domain/failure.ts';
import type { Session } from '../postgres/session.ts';
import type { Sides } from './side.ts';

interface SlotHealth {
  readonly active: boolean;
  /** Bytes of WAL that the target has not confirmed. */
  readonly behind: number | null;
}

/**
 * The run's slot, if the target can still get from it what it lacks. Raises `replication-failed` when it is gone or its WAL was
 * removed: then only a new copy helps. `session` is one of the source.
 */
export async function healthySlot(sides: Sides, session: Session, tag: string): Promise<SlotHealth> {
  const { source } = sides.migration;
  const status = sides.facts.binding.source.version >= 130_000 ? 'wal_status' : `'reserved'`;
  const [slot] = await session.query<{ behind: string | null; active: boolean; status: string | null }>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::text AS behind, active, ${status} AS status
       FROM pg_replication_slots WHERE slot_name = $1`,
    [tag],
  );
  const again = 'rows that the target lacks can only come by a new copy: start again';
  if (!slot) throw new Failure('replication-failed', `the replication slot "${tag}" on ${source} is gone; ${again}`, { tag });
  if (slot.status === 'lost') {
    throw new Failure('replication-failed', `the WAL that the replication slot "${tag}" on ${source} kept was removed; ${again}`, { tag });
  }
  return { active: slot.active, behind: slot.behind === null ? null : Number(slot.behind) };
}
