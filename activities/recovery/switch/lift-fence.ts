import { Failure, notYet } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import { restoreService } from '../../replication/switch/restore-service.ts';
import { onLive, type Places } from '../places.ts';
import { fenceFacts, isCopy, type Switching } from './switching.ts';

const lookAgainMs = 2_000;
/** For the database, and again for its pooler: one attempt has half a minute, and the undo has half an hour. */
const giveUpAfterMs = 10_000;

/**
 * The undo of `fence`: the old one serves again. Right when it was never fenced, and twice. Raises `conflict` once clients may write to
 * the copy, and `not-yet` while the inventory's address still leads to the copy, or nowhere, as long as names take to be known: nobody must
 * be let in there; and while what it leads to, or the pooler, does not do as it is told.
 */
export async function liftFence({ servers, recovery, facts, noReturn }: Switching, attempt: Attempt): Promise<void> {
  const { database } = recovery;
  if ((await noReturn.read(attempt.run))?.side === 'forward')
    throw new Failure('conflict', `clients write to the restored copy of ${database} already: there is no way back`);
  if (attempt.intended === null) return await attempt.settle('nothing-to-undo');
  const planned = fenceFacts(facts);
  if (await leadsToCopy({ servers, recovery }, attempt.tag))
    throw notYet(`the address of ${database} leads to the restored copy: the fence stays until the names are back`, lookAgainMs);
  await attempt.intend({});
  await attempt.current();
  await restoreService({
    ...{ servers, attempt, facts: planned, superusers: [], giveUpAfterMs },
    migration: { source: database },
    journalOf: async () => await Promise.resolve([]),
  }).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'uncertain') throw notYet(error.message, lookAgainMs);
    throw error;
  });
  await attempt.settle('undone');
}

async function leadsToCopy(places: Places, tag: string): Promise<boolean> {
  try {
    return await onLive(places, async (session) => await isCopy(session, tag));
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'unreachable') throw error;
    throw notYet(`the fence cannot be lifted: ${error.message}`, lookAgainMs);
  }
}
