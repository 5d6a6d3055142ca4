import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Servers, Session } from '../postgres/session.ts';
import type { Migration } from './contract.ts';
import type { MigrationFacts } from './facts.ts';

export type SideName = 'source' | 'target';

/** A migration under way: its two sides, as the plan's facts know them. */
export interface Sides {
  readonly servers: Servers;
  readonly migration: Migration;
  readonly facts: MigrationFacts;
}

/** Looks at a side, in a session where the server refuses writes. Raises `identity-changed` when another server answers. */
export async function looking<Result>(sides: Sides, side: SideName, look: (session: Session) => Promise<Result>): Promise<Result> {
  const { servers, migration, facts } = sides;
  const session = await servers.open(migration[side], { purpose: 'look', identity: facts.binding[side] });
  try {
    return await look(session);
  } finally {
    await session.end();
  }
}

/** How long a change waits for a lock before it gives way to the application (`source-busy`, tried again). */
const lockTimeoutMs = 5_000;

/** Changes a side. Right before, it is checked that this attempt is still the newest and that the right server answers. */
export async function changing<Result>(
  sides: Sides,
  side: SideName,
  attempt: Attempt,
  change: (session: Session) => Promise<Result>,
  statementTimeout = 60_000,
): Promise<Result> {
  const { servers, migration, facts } = sides;
  const { step } = attempt;
  const session = await servers.open(migration[side], { purpose: 'change', step, statementTimeout, identity: facts.binding[side] });
  try {
    await session.query(`SET lock_timeout = ${lockTimeoutMs}`);
    await passEventTriggers(session);
    await attempt.current();
    return await change(session);
  } finally {
    await session.end();
  }
}

/**
 * Event triggers of the application's own don't fire on what the run makes: one that writes down each DDL would put rows into the
 * target that the source has not. Without the right to say so they fire; preflight tells.
 */
async function passEventTriggers(session: Session): Promise<void> {
  try {
    await session.query('SET session_replication_role = replica');
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'privilege-missing') throw error;
  }
}

/** All or nothing. */
export async function inTransaction(session: Session, change: () => Promise<void>): Promise<void> {
  await session.query('BEGIN');
  try {
    await change();
    await session.query('COMMIT');
  } catch (error) {
    // When the connection is gone the server has rolled back by itself.
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Does what can be done although a part of it can't: runs all, then raises the first error. */
export async function allThenRaise(parts: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const part of parts) {
    await part().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw errors[0];
}
