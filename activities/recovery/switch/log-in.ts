import { Failure } from '../../../domain/failure.ts';
import { isKeptOut } from '../../postgres/errors.ts';
import type { Opening, Servers, Session } from '../../postgres/session.ts';
import { takeTransactionId } from './commands.ts';

type Address = Pick<Opening, 'server' | 'step' | 'as'>;

/** Whether the password lets the user in. A session that it gets takes a transaction id, as a write would, rolled back. */
export async function logsIn(servers: Servers, database: string, address: Address): Promise<boolean> {
  let session: Session;
  try {
    session = await servers.open(database, { ...address, purpose: 'change' });
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
  try {
    await takesWrites(session);
    return true;
  } finally {
    await session.end();
  }
}

const isRefused = (error: unknown): boolean => error instanceof Failure && error.code === 'login-refused';

/** A standby refuses it. */
export async function takesWrites(session: Session): Promise<void> {
  await session.query('BEGIN');
  try {
    await session.run(takeTransactionId);
  } finally {
    await session.query('ROLLBACK');
  }
}

/**
 * Whether the password is right, asked of a database that is shut: there the fence is what refuses, and it is asked only after the
 * password. Raises what else refuses.
 */
export async function passwordIsRight(servers: Servers, database: string, as: NonNullable<Opening['as']>): Promise<void> {
  try {
    await (await servers.open(database, { purpose: 'look', as })).end();
  } catch (error) {
    if (!isKeptOut(error)) throw error;
  }
}
