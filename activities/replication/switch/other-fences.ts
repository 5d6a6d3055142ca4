import type { Intent } from '../../../control/contract.ts';
import type { Session } from '../../postgres/session.ts';
import { superusersOf } from './superusers-of.ts';

/** What the run with this tag has intended; nothing when no run of ours has it. */
export type JournalOf = (tag: string) => Promise<readonly Intent[]>;

/**
 * The superusers that other runs keep out of this server now. LOGIN is a right on the whole server, so the way back of one run must
 * leave them locked out while the fence of another one stands: a database that is shut and has that run's slot. Its journal says
 * whom it has locked out. Asks the control database only when there is such a fence. Looks only.
 */
export async function keptOutByOthers(session: Session, tag: string, journalOf: JournalOf): Promise<string[]> {
  const fences = await session.query<{ tag: string }>(
    `SELECT s.slot_name::text AS tag FROM pg_replication_slots s JOIN pg_database d ON d.datname = s.database
      WHERE d.datconnlimit = 0 AND s.slot_name <> $1 AND s.slot_name ~ '^steadyhand_[0-9a-hjkmnp-tv-z]{26}$'`,
    [tag],
  );
  const journals = await Promise.all(fences.map(async (fence) => await journalOf(fence.tag)));
  return journals.flat().flatMap((intent) => superusersOf(intent.before));
}
