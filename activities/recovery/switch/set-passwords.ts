import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import { scramVerifier } from '../../postgres/scram-verifier.ts';
import type { PasswordsSet } from '../contract.ts';
import { setRolePassword } from './commands.ts';
import { logsIn } from './log-in.ts';
import { usersOf, type Switching } from './switching.ts';

/**
 * The application's roles get the password that the inventory's secrets have now: the copy has those of its moment. Each one then
 * logs in and takes a transaction id. A role that gets in already is left alone, so it repeats safely. The server is told a verifier,
 * never the password. Raises `login-refused`, naming the role.
 */
export async function setPasswords(switching: Switching, attempt: Attempt): Promise<PasswordsSet> {
  const { servers, recovery, facts } = switching;
  const { database, restored } = recovery;
  const users = usersOf(servers.entry(database)).filter(({ name }) => facts.roles.includes(name));
  const set: string[] = [];
  await attempt.intend({});
  for (const as of users) {
    attempt.signal.throwIfAborted();
    const address = { server: restored, step: attempt.step, as };
    if (await logsIn(servers, database, address)) continue;
    await setPassword(switching, attempt, as.name, (await servers.secret(as.secret)) ?? '');
    if (!(await logsIn(servers, database, address))) {
      throw new Failure(
        'login-refused',
        `the restored copy of ${database} refuses "${as.name}" with the password of the inventory’s secret`,
      );
    }
    set.push(as.name);
  }
  await attempt.settle('made');
  return { set, letIn: users.map(({ name }) => name) };
}

async function setPassword({ servers, recovery }: Switching, attempt: Attempt, role: string, password: string): Promise<void> {
  const { database, restored } = recovery;
  const session = await servers.open(database, { purpose: 'change', step: attempt.step, server: restored });
  try {
    await attempt.current();
    await session.run(setRolePassword, { role, verifier: scramVerifier(password) });
  } finally {
    await session.end();
  }
}
