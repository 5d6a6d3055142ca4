import { Failure } from '../../domain/failure.ts';
import type { Before } from '../../domain/step.ts';
import type { NoReturn } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import { existing, filledTables } from '../postgres/filled-tables.ts';
import { emptyTables } from './commands.ts';
import { endEarlierSessions } from './end-earlier.ts';
import { allThenRaise, changing, looking, type Sides } from './side.ts';
import { copySlots, dropSlots, isForeign, runSlot } from './slots.ts';
import { ownSubscription, removeSubscription } from './subscription.ts';

/**
 * Removes the subscription, then its slots on the source, then empties exactly the tables that the journal lists as empty before.
 * Right when the subscription never came to be, half of it did, and twice; with one side dead the other one is cleaned first, so
 * that a slot on the source is never kept by a dead target. Raises `conflict` after the point of no return: the target is the
 * database then. Raises `unreachable` when a side is dead, `uncertain` when slots may be another subscription's.
 */
export async function unsubscribe(sides: Sides, noReturn: NoReturn, attempt: Attempt): Promise<void> {
  const before = attempt.intended;
  if (before === null) return await attempt.settle('nothing-to-undo');
  if ((await noReturn.read(attempt.run))?.side === 'forward') {
    throw new Failure('conflict', `${sides.migration.target} is the database in charge since the switch; its tables are not emptied`);
  }
  await endEarlierSessions(sides, attempt);
  const subscription = await rememberOid(sides, attempt);
  await allThenRaise([
    async () => await removeSubscription(sides, attempt),
    async () => await removeSlots(sides, attempt, subscription),
    async () => await emptyAgain(sides, attempt, before),
  ]);
  await attempt.settle('undone');
}

/** The subscription's oid; null when there is none, undefined when the target could not be asked. */
type Oid = number | null | undefined;

/** The oid names the slots of the initial copy, and it is gone with the subscription: so it is written down before. */
async function rememberOid(sides: Sides, attempt: Attempt): Promise<Oid> {
  const seen = await ownSubscription(sides, attempt.tag).then(
    (found) => ({ oid: found?.oid ?? null }),
    (error: unknown) => {
      if (error instanceof Failure && error.code === 'unreachable') return {};
      throw error;
    },
  );
  const { oid } = await attempt.intend(seen);
  return typeof oid === 'number' || oid === null ? oid : undefined;
}

async function removeSlots(sides: Sides, attempt: Attempt, subscription: Oid): Promise<void> {
  const system = sides.facts.binding.target.systemIdentifier;
  const { run, copies } = await looking(sides, 'source', async (session) => ({
    run: await runSlot(session, attempt.tag),
    copies: subscription === null ? [] : await copySlots(session, system, subscription),
  }));
  if (run && isForeign(run))
    throw new Failure('foreign-object', `the slot "${attempt.tag}" on ${sides.migration.source} is not this run's`);
  await dropSlots(sides, attempt, [...(run ? [run.name] : []), ...(subscription === undefined ? [] : copies)]);
  if (subscription === undefined && copies.length > 0) {
    throw new Failure('uncertain', `${sides.migration.source} has slots of an initial copy that may be this run's: ${copies.join(', ')}`, {
      copies,
    });
  }
}

/** After the subscription is gone: else its workers would fill them again. */
async function emptyAgain(sides: Sides, attempt: Attempt, before: Before): Promise<void> {
  const listed = tablesOf(before['emptied']);
  const { tables, filled } = await looking(sides, 'target', async (session) => ({
    tables: await existing(session, listed),
    filled: await filledTables(session, listed),
  }));
  if (filled.length === 0) return;
  if (await ownSubscription(sides, attempt.tag)) {
    throw new Failure(
      'uncertain',
      `the subscription "${attempt.tag}" on ${sides.migration.target} is still there, so its tables are not emptied`,
    );
  }
  await changing(sides, 'target', attempt, async (session) => await session.run(emptyTables(tables)));
}

function tablesOf(value: unknown): { schema: string; name: string }[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (one: unknown): one is { schema: string; name: string } => typeof one === 'object' && one !== null && 'schema' in one && 'name' in one,
  );
}
