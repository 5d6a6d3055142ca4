import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { endEarlier } from './commands.ts';
import { changing, type SideName, type Sides } from './side.ts';

const goneWithinMs = 5_000;
const lookAgainMs = 10;

/**
 * Ends what earlier attempts at this step still have open on a side, from a session of this step. A worker that stands still, or
 * whose statement is on its way, would else do it after this attempt, or the undo, has looked. Returns when they are gone. Throws
 * `source-busy` when a server process does not end.
 */
export async function endEarlierOn(session: Session, side: SideName): Promise<void> {
  const deadline = Date.now() + goneWithinMs;
  while ((await session.run(endEarlier(side))).length > 0) {
    if (Date.now() > deadline) {
      throw new Failure('source-busy', `on the ${side} a session of an earlier attempt at this step does not end`);
    }
    await wait(lookAgainMs);
  }
}

/** When there may have been such an attempt. A side that cannot be reached is passed over: the work there fails by itself. */
export async function endEarlierSessions(sides: Sides, attempt: Attempt, on: readonly SideName[] = ['source', 'target']): Promise<void> {
  if (attempt.number === 1 && attempt.intended === null) return;
  for (const side of on) {
    try {
      await changing(sides, side, attempt, async (session) => await endEarlierOn(session, side));
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'unreachable') throw error;
    }
  }
}
