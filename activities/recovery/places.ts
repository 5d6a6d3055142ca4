import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Opening, Servers, Session } from '../postgres/session.ts';
import type { CopyBack, Recovery } from './contract.ts';
import type { CopyFacts } from './facts.ts';
import { writeAlike } from './inspect-restored.ts';

/** Both servers of a recovery. */
export interface Places {
  readonly servers: Servers;
  readonly recovery: Recovery;
}

/** A copy under way, as the plan's facts know it. */
export interface Copying extends Places {
  readonly recovery: CopyBack;
  readonly facts: CopyFacts;
}

/** Looks at the restored copy, in a session where the server refuses writes. */
export async function onRestored<Result>(
  { servers, recovery }: Places,
  look: (session: Session) => Promise<Result>,
  options: Omit<Opening, 'purpose'> = {},
): Promise<Result> {
  const session = await servers.open(recovery.database, { purpose: 'look', server: recovery.restored, ...options });
  return await ended(session, look);
}

/** Looks at the database in use. */
export async function onLive<Result>({ servers, recovery }: Places, look: (session: Session) => Promise<Result>): Promise<Result> {
  return await ended(await servers.open(recovery.database, { purpose: 'look' }), look);
}

/** How long a change waits for a lock before it gives way to the application (`source-busy`, tried again). */
const lockTimeoutMs = 5_000;

/** Changes the database in use. Right before, it is checked that this attempt is still the newest and that the right server answers. */
export async function changingLive<Result>(
  { servers, recovery, facts }: Copying,
  attempt: Attempt,
  change: (session: Session) => Promise<Result>,
  statementTimeout = 0,
): Promise<Result> {
  const opening = { purpose: 'change', step: attempt.step, statementTimeout, identity: facts.live } as const;
  return await ended(await servers.open(recovery.database, opening), async (session) => {
    await session.query(`SET lock_timeout = ${lockTimeoutMs}`);
    await attempt.current();
    return await change(session);
  });
}

async function ended<Result>(session: Session, work: (session: Session) => Promise<Result>): Promise<Result> {
  try {
    await writeAlike(session);
    return await work(session);
  } finally {
    await session.end();
  }
}

/**
 * A restored copy has the system identifier and the database oid of what it was made from, so only the start of the server tells
 * the two apart. Raises `identity-changed` when both addresses lead to one server.
 */
export async function requireTwoServers(places: Places): Promise<void> {
  const look = async (session: Session): Promise<string> => {
    const [row] = await session.query<{ start: string }>(
      `SELECT concat_ws(' ', c.system_identifier, extract(epoch FROM pg_postmaster_start_time())) AS start FROM pg_control_system() c`,
    );
    return row?.start ?? '';
  };
  if ((await onLive(places, look)) !== (await onRestored(places, look))) return;
  const { database } = places.recovery;
  throw new Failure('identity-changed', `the address of the restored copy leads to the server of ${database} itself`, { database });
}
