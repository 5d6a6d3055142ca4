import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';
import type { Session } from '../../postgres/session.ts';
import { createBudget } from '../../replication/switch/budget.ts';
import { changedSincePlan, shutSide } from '../../replication/switch/fence.ts';
import { holdTraffic, inside } from '../../replication/switch/hold.ts';
import { openPooler } from '../../replication/switch/sessions.ts';
import type { Fenced } from '../contract.ts';
import { requireTwoServers } from '../places.ts';
import { countLost } from './count-lost.ts';
import { disableSubscription, markCopy } from './commands.ts';
import { requireShut } from './require-shut.ts';
import { copyOf, fenceFacts, type Switching } from './switching.ts';
import { beforeFence } from './take-switching-facts.ts';

/** How long it may take until nobody is in the database any more, and what is lost may be counted. */
const emptyWithinMs = 10_000;
const countWithinMs = 10_000;

/**
 * Nobody writes to the database in use from here on, nor to the copy before it serves: clients of the pooler wait in it, all others
 * are ended and kept out, and the copy follows no other server. Then what is on the old one alone is counted. Repeats safely; the times are those of the first attempt.
 * Raises `drift` when rights or limits are not those of the plan, `switch-abandoned` when the database can't be emptied, and
 * `privilege-missing` when it, or the copy, is not shut then.
 */
export async function fence(switching: Switching, attempt: Attempt): Promise<Fenced> {
  const { servers, recovery, facts, newestRow } = switching;
  const { database, restored, measured } = recovery;
  const planned = fenceFacts(facts);
  const { pooler } = servers.entry(database);
  await requireTwoServers(switching);
  const budget = createBudget(emptyWithinMs, attempt);
  const open: { end(): Promise<void> }[] = [];
  const opened = async <One extends { end(): Promise<void> }>(opening: Promise<One>): Promise<One> => {
    const one = await opening;
    open.push(one);
    return one;
  };
  const { source, target } = planned.binding;
  try {
    const { step } = attempt;
    const change = await opened(servers.open(database, { purpose: 'change', step, identity: source }));
    const look = await opened(servers.open(database, { purpose: 'look', statementTimeout: countWithinMs, identity: source }));
    const copy = await opened(servers.open(database, { purpose: 'change', step, server: restored, identity: target }));
    const console = pooler ? await opened(openPooler(servers, pooler)) : null;
    if (attempt.number === 1) await refuseChanged(switching, look);
    const first = await attempt.intend({
      heldAt: new Date().toISOString(),
      live: beforeFence(source),
      copy: beforeFence(target),
    });
    await copy.run(markCopy, { tag: attempt.tag });
    for (const subscription of facts.subscriptions) await copy.run(disableSubscription, { subscription });
    await shutSide(copy, 'target', planned);
    await requireShut(copy, 'target', planned, copyOf(database));
    const sessions = { source: { change, look }, ours: [change.pid, look.pid], console };
    await holdTraffic({
      sessions,
      facts: planned,
      pooler,
      superusers: [],
      budget,
      alive: attempt.alive,
    });
    const lost = await countLost(look, measured.target ?? measured.recoveredTo, newestRow);
    await requireShut(look, 'source', planned, database, await inside(sessions));
    await attempt.settle('made');
    return { heldAt: String(first['heldAt']), lost };
  } finally {
    budget.end();
    await Promise.all(open.map((one) => one.end()));
  }
}

async function refuseChanged({ facts, recovery }: Switching, look: Session): Promise<void> {
  const changed = await changedSincePlan(look, 'source', fenceFacts(facts));
  if (changed !== undefined) throw new Failure('drift', `${recovery.database} has ${changed}`);
}
