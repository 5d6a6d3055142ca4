import type { NoReturn } from '../../../control/contract.ts';
import { Failure } from '../../../domain/failure.ts';
import type { DatabaseEntry, PoolerEntry } from '../../../domain/inventory.ts';
import type { VerificationRules } from '../../../domain/verification.ts';
import type { Session } from '../../postgres/session.ts';
import type { FenceFacts } from '../../replication/facts.ts';
import type { SwitchOver } from '../contract.ts';
import type { Places } from '../places.ts';
import type { SwitchingFacts } from './facts.ts';

/** A switch-over under way, as the plan's facts know it. */
export interface Switching extends Places {
  readonly recovery: SwitchOver;
  readonly facts: SwitchingFacts;
  readonly newestRow: VerificationRules['newestRow'];
  readonly noReturn: NoReturn;
}

/** In the words of the fence: from the database in use to the restored copy. */
export function fenceFacts({ live, copy, pooler }: SwitchingFacts): FenceFacts {
  if (!copy) throw new Failure('internal', 'a switch was begun with facts from before the restored copy was there');
  return { binding: { source: live, target: copy, pooler } };
}

/** As people are told of it. */
export const copyOf = (database: string): string => `the restored copy of ${database}`;

/**
 * A restored copy has the system identifier and the oid of what it was made from, and its server may be started again: which of the
 * two an address leads to is told by the mark that the fence has put on the copy.
 */
export async function isCopy(session: Session, tag: string): Promise<boolean> {
  const rows = await session.query('SELECT FROM pg_namespace WHERE nspname = $1', [tag]);
  return rows.length > 0;
}

type User = PoolerEntry['users'][number];

/** The application's users that the inventory knows, through a pooler or not; Steadyhand's own login is none. */
export function usersOf({ server, pooler, users }: DatabaseEntry): User[] {
  const named = new Map([...(users ?? []), ...(pooler?.users ?? [])].map((one) => [one.name, one]));
  named.delete(server.user);
  return [...named.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
