import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import { resume } from '../../pooling/commands.ts';
import { openSide } from '../../replication/switch/fence.ts';
import { decideForward } from '../../replication/switch/no-return.ts';
import { openPooler } from '../../replication/switch/sessions.ts';
import type { SwitchedOver } from '../contract.ts';
import { unmarkCopy } from './commands.ts';
import { requireShut } from './require-shut.ts';
import { copyOf, fenceFacts, isCopy, type Switching } from './switching.ts';

const resumeWithinMs = 3_000;

/**
 * Clients may write to the copy. First that is written down, once, in a row that nobody changes any more: from there on the run only
 * goes forward. A new attempt finds the row and does what comes after again. Raises `privilege-missing` for a copy that is not shut until
 * then, and `uncertain` when it is not known whether the row was written: then nobody touches traffic.
 */
export async function letIn(switching: Switching, attempt: Attempt): Promise<SwitchedOver> {
  const { servers, recovery, facts, noReturn } = switching;
  const { database, switched } = recovery;
  const planned = fenceFacts(facts);
  const { fenced } = switched;
  if (!fenced) throw new Failure('internal', `nobody knows since when writes to ${database} stand still`);
  const session = await servers.open(database, { purpose: 'change', step: attempt.step, identity: planned.binding.target });
  try {
    await attempt.intend({});
    if (!(await noReturn.read(attempt.run))) {
      if (!(await isCopy(session, attempt.tag)))
        throw new Failure('identity-changed', `the address of ${database} does not lead to the restored copy that was verified`);
      await requireShut(session, 'target', planned, copyOf(database));
      await forward(switching, attempt);
    }
    await openSide(session, 'target', planned);
    await resumePooler(switching);
    await session.run(unmarkCopy, { tag: attempt.tag });
  } finally {
    await session.end();
  }
  await attempt.settle('made');
  return evidenceOf(switching, Date.now() - Date.parse(fenced.heldAt));
}

async function forward({ recovery: { database, switched }, noReturn }: Switching, attempt: Attempt): Promise<void> {
  const { resource, keptAs } = switched;
  const side = await decideForward(noReturn, attempt, database, { switchedTo: resource ?? null, keptAs: keptAs ?? null });
  if (side === 'back') throw new Failure('conflict', `it was decided that the old ${database} stays in charge of this run`);
}

async function resumePooler({ servers, recovery: { database } }: Switching): Promise<void> {
  const { pooler } = servers.entry(database);
  if (!pooler) return;
  const console = await openPooler(servers, pooler);
  try {
    await console.run(resume(pooler.alias), resumeWithinMs);
  } finally {
    await console.end();
  }
}

function evidenceOf({ recovery, facts: { subscriptions } }: Switching, withoutWritesMs: number): SwitchedOver {
  const { measured, switched } = recovery;
  const { target, recoveredTo, ...rest } = measured;
  const lost = switched.fenced?.lost ?? null;
  return {
    target,
    recoveredTo,
    lostAfterTarget: lost?.rows ?? lost?.commits ?? null,
    lost,
    switchedTo: switched.resource ?? null,
    keptAs: switched.keptAs ?? null,
    removeAfter: switched.removeAfter ?? null,
    removeWith: 'remove-old',
    secondsWithoutWrites: Math.round(withoutWritesMs) / 1_000,
    ...(subscriptions.length === 0 ? {} : { disabledSubscriptions: subscriptions }),
    ...rest,
  };
}
