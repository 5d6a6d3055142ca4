import { Failure } from '../../../domain/failure.ts';
import { areFenced, connectGrants, whoMayConnect } from '../../postgres/connect-grants.ts';
import type { Session } from '../../postgres/session.ts';
import type { ConnectGrant, FenceFacts } from '../facts.ts';
import { roleText, shut, unshut } from './commands.ts';

type Side = 'source' | 'target';

/** Closes a side to everybody who begins from now on. Repeats safely. */
export async function shutSide(session: Session, side: Side, facts: FenceFacts): Promise<void> {
  for (const command of shut(side, facts)) await session.run(command);
}

const noSuchRole = '42704';

/** Opens a side as the facts found it. Repeats safely; a role that was dropped meanwhile needs no right. */
export async function openSide(session: Session, side: Side, facts: FenceFacts): Promise<void> {
  for (const command of unshut(side, facts)) {
    await session.run(command).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.facts['sqlstate'] !== noSuchRole) throw error;
    });
  }
}

/** Who could still come in although he is no superuser; empty while the fence is up. */
export async function gapsInFence(look: Session, side: Side, facts: FenceFacts): Promise<string[]> {
  const { dbname, connects, logins } = facts.binding[side];
  if (connects !== null) return (await whoMayConnect(look, logins)).map((name) => `"${name}" may connect to ${dbname}`);
  return (await limitOf(look)) === 0 ? [] : [`${dbname} was opened`];
}

/** What the plan knows of the fence is not so any more; empty when all is as planned, or a fence of ours is up. */
export async function changedSincePlan(look: Session, side: Side, facts: FenceFacts): Promise<string | undefined> {
  const { connects, connectionLimit, logins } = facts.binding[side];
  if (connects === null) {
    const limit = await limitOf(look);
    return limit === connectionLimit ? undefined : `connection limit ${limit}; the plan was made with ${connectionLimit}`;
  }
  const now = await connectGrants(look);
  if (areFenced(now, logins) || grantsText(now) === grantsText(connects)) return undefined;
  return `other rights to connect: ${grantsText(now)}; the plan was made with ${grantsText(connects)}`;
}

function grantsText(grants: readonly ConnectGrant[]): string {
  const texts = grants.map(({ role, grantable }) => `${roleText(role)}${grantable ? ' with grant option' : ''}`);
  return texts.join(', ') || 'nobody';
}

async function limitOf(look: Session): Promise<number | undefined> {
  const [row] = await look.query<{ limit: number }>('SELECT datconnlimit AS limit FROM pg_database WHERE datname = current_database()');
  return row?.limit;
}
