import { Failure } from '../../../domain/failure.ts';
import type { Session } from '../../postgres/session.ts';
import type { FenceFacts } from '../../replication/facts.ts';
import { gapsInFence } from '../../replication/switch/fence.ts';

/**
 * A fence is what the server says of it, not what it was told: REVOKE by somebody who has not the right to is no error. Raises
 * `privilege-missing`, naming who may still come in and who is in (`present`).
 */
export async function requireShut(
  session: Session,
  side: 'source' | 'target',
  facts: FenceFacts,
  what: string,
  present: readonly string[] = [],
): Promise<void> {
  const open = [...(await gapsInFence(session, side, facts)), ...present.map((one) => `${one} is in it`)];
  if (open.length > 0) throw new Failure('privilege-missing', `${what} is not shut: ${open.join('; ')}`, { open });
}
