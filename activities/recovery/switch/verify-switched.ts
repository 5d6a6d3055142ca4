import { Failure, notYet } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { Session } from '../../postgres/session.ts';
import { passwordIsRight, takesWrites } from './log-in.ts';
import { isCopy, usersOf, type Switching } from './switching.ts';

const lookAgainMs = 500;

/**
 * What answers under the inventory's address is the restored copy, it takes writes, and the application's roles have the right
 * password. `not-yet` while the address leads nowhere or still to the old one, as long as names take to be known. Changes nothing.
 */
export async function verifySwitched(switching: Switching, attempt: Attempt): Promise<{ answers: string; logins: readonly string[] }> {
  const { servers, recovery, facts } = switching;
  const { database, switched } = recovery;
  const session = await answering(switching, attempt);
  try {
    if (!(await isCopy(session, attempt.tag)))
      throw notYet(`the address of ${database} does not lead to the restored copy yet`, lookAgainMs);
    await takesWrites(session);
    const users = usersOf(servers.entry(database)).filter(({ name }) => facts.roles.includes(name));
    for (const as of users) await passwordIsRight(servers, database, as);
    return { answers: switched.resource ?? '', logins: users.map(({ name }) => name) };
  } finally {
    await session.end();
  }
}

async function answering({ servers, recovery: { database } }: Switching, { step }: Attempt): Promise<Session> {
  try {
    return await servers.open(database, { purpose: 'change', step });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'unreachable') throw error;
    throw notYet(`${database} does not answer under its address yet: ${error.message}`, lookAgainMs);
  }
}
