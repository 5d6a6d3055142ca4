import { Failure } from '../../domain/failure.ts';
import type { Before } from '../../domain/step.ts';
import type { NoReturn } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import { advanceSlot, countLateWrites } from './commands.ts';
import { dropOwnFreeze } from './freeze-ddl.ts';
import { dropOwnSchema } from './own-schema.ts';
import { dropOwnPublication } from './publish.ts';
import { allThenRaise, changing, looking, type Sides } from './side.ts';
import { awaitInactive, copySlots, dropSlots, isForeign, runSlot } from './slots.ts';
import { ownSubscription, removeSubscription, stopSubscription } from './subscription.ts';

/**
 * After the switch: proves that the old side took no write after the marker of the switch, then removes subscription, slots,
 * publication, freeze and its schema. Every part looks first, so it repeats safely; the proof comes before anything
 * that it needs is dropped. Raises `data-differs` when there was a late write (all is left in place but the subscription is
 * stopped), `uncertain` when the source is dead or the slot was dropped by somebody else (what is on the target is removed then),
 * `conflict` when no switch has gone forward.
 */
export async function retire(sides: Sides, noReturn: NoReturn, attempt: Attempt): Promise<{ lateWrites: number }> {
  const lsn = await markerLsn(noReturn, attempt);
  const first = await attempt.intend(await firstLook(sides, attempt));
  await stopSubscription(sides, attempt);
  try {
    await prove(sides, attempt, lsn, first);
  } catch (error) {
    if (!(error instanceof Failure) || !['unreachable', 'uncertain'].includes(error.code)) throw error;
    await removeSubscription(sides, attempt);
    throw unproven(sides, error);
  }
  await removeSubscription(sides, attempt);
  await removeRest(sides, attempt, first);
  await attempt.settle('made');
  return { lateWrites: 0 };
}

async function markerLsn(noReturn: NoReturn, attempt: Attempt): Promise<string> {
  const decided = await noReturn.read(attempt.run);
  const lsn = decided?.facts['markerLsn'];
  if (decided?.side === 'forward' && typeof lsn === 'string') return lsn;
  throw new Failure('conflict', 'no switch of this run has gone forward, so nothing is retired', { run: attempt.run });
}

/** What the proof must know and what is gone once the subscription is: the last commit that it applied, its oid, its slot. */
async function firstLook(sides: Sides, attempt: Attempt): Promise<Before> {
  const subscription = await ownSubscription(sides, attempt.tag);
  const applied = subscription && (await appliedUpTo(sides, subscription.oid));
  const slot = await slotIsThere(sides, attempt.tag).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'unreachable') return null;
    throw error;
  });
  return { subscription: subscription?.oid ?? null, slot, applied: applied ?? null };
}

async function slotIsThere(sides: Sides, tag: string): Promise<boolean> {
  const slot = await looking(sides, 'source', async (session) => await runSlot(session, tag));
  if (slot && isForeign(slot)) throw new Failure('foreign-object', `the slot "${tag}" on ${sides.migration.source} is not this run's`);
  return slot !== undefined;
}

/** The end of the last commit of the source that the target applied; null when this role may not know. */
async function appliedUpTo(sides: Sides, oid: number): Promise<string | null> {
  return await looking(sides, 'target', async (session) => {
    const [row] = await session.query<{ lsn: string | null }>(
      'SELECT remote_lsn::text AS lsn FROM pg_replication_origin_status WHERE external_id = $1',
      [`pg_${oid}`],
    );
    return row?.lsn ?? null;
  }).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'privilege-missing') return null;
    throw error;
  });
}

/**
 * Late writes stand in two places: what the subscription applied after the marker, and what the slot holds that was never sent.
 * A slot that is gone was dropped by an earlier attempt, after its proof, if that one had seen it.
 */
async function prove(sides: Sides, attempt: Attempt, lsn: string, first: Before): Promise<void> {
  const { source } = sides.migration;
  if (!(await slotIsThere(sides, attempt.tag))) {
    const detached = (await ownSubscription(sides, attempt.tag))?.slot ?? null;
    if (first['slot'] === true && detached === null) return;
    throw new Failure(
      'uncertain',
      `the replication slot "${attempt.tag}" on ${source} is gone, so nobody can tell whether ${source} took a late write`,
    );
  }
  await awaitInactive(sides, attempt, attempt.tag);
  const subscription = await ownSubscription(sides, attempt.tag);
  const applied = subscription ? await appliedUpTo(sides, subscription.oid) : first['applied'];
  const { ahead, behind } = await looking(sides, 'source', async (session) => {
    const [row] = await session.query<{ ahead: boolean; behind: boolean }>(
      `SELECT coalesce($2::pg_lsn > $3::pg_lsn, false) AS ahead, confirmed_flush_lsn < $3::pg_lsn AS behind
         FROM pg_replication_slots WHERE slot_name = $1`,
      [attempt.tag, applied ?? null, lsn],
    );
    return row ?? { ahead: false, behind: false };
  });
  // Before 15 empty transactions are sent and applied, too, and show the same.
  if (ahead && sides.facts.binding.source.version >= 150_000) throw lateWrite(sides, lsn, 'was applied to the target');
  const late = await changing(sides, 'source', attempt, async (session) => {
    if (behind) await session.run(advanceSlot, { tag: attempt.tag, lsn });
    const [row] = await session.run<{ late: number }>(countLateWrites, { tag: attempt.tag });
    return row?.late ?? 0;
  });
  if (late > 0) throw lateWrite(sides, lsn, `did not reach the target (${late} rows)`);
}

function lateWrite(sides: Sides, lsn: string, what: string): Failure {
  return new Failure('data-differs', `${sides.migration.source} took a write after the switch (WAL ${lsn}); it ${what}`, { lsn });
}

function unproven(sides: Sides, error: Failure): Failure {
  if (error.code === 'uncertain') return error;
  return new Failure(
    'uncertain',
    `${sides.migration.source} cannot be asked whether it took a late write, and the run's slot, publication and freeze may be left there: ${error.message}`,
    error.facts,
    error,
  );
}

async function removeRest(sides: Sides, attempt: Attempt, first: Before): Promise<void> {
  const { systemIdentifier } = sides.facts.binding.target;
  const { subscription } = first;
  const copies =
    typeof subscription === 'number'
      ? await looking(sides, 'source', async (session) => await copySlots(session, systemIdentifier, subscription))
      : [];
  await allThenRaise([
    async () => await dropSlots(sides, attempt, [attempt.tag, ...copies]),
    async () => await dropOwnPublication(sides, attempt),
    async () => {
      await dropOwnFreeze(sides, attempt);
      await dropOwnSchema(sides, attempt);
    },
  ]);
}
