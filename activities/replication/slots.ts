import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { dropSlot, endWalsender } from './commands.ts';
import { changing, looking, type Sides } from './side.ts';

export interface Slot {
  readonly name: string;
  readonly plugin: string | null;
  readonly here: boolean;
  readonly active: boolean;
}

/** The slot with the run's tag, whoever made it. */
export async function runSlot(session: Session, tag: string): Promise<Slot | undefined> {
  const [slot] = await session.query<Slot & Record<string, unknown>>(
    `SELECT slot_name::text AS name, plugin::text AS plugin, active, database IS NOT DISTINCT FROM current_database() AS here
       FROM pg_replication_slots WHERE slot_name = $1`,
    [tag],
  );
  return slot;
}

/** A slot of our name that no subscription of ours can have made. */
export function isForeign(slot: Slot): boolean {
  return slot.plugin !== 'pgoutput' || !slot.here;
}

/**
 * Slots of the initial copy, `pg_<subscription's oid>_sync_<table's oid>_<subscriber's system>`, of this source database. Without
 * the oid: those of every subscription of that target.
 */
export async function copySlots(session: Session, targetSystem: string, subscription: number | undefined): Promise<string[]> {
  const oid = subscription === undefined ? '[0-9]+' : String(subscription);
  const rows = await session.query<{ name: string }>(
    `SELECT slot_name::text AS name FROM pg_replication_slots
      WHERE database = current_database() AND plugin = 'pgoutput' AND slot_name::text ~ $1 ORDER BY 1`,
    [`^pg_${oid}_sync_[0-9]+_${targetSystem}$`],
  );
  return rows.map((row) => row.name);
}

const patienceMs = 1_000;
const inactiveWithinMs = 15_000;

/** Waits until nobody streams from the slot; after a second it ends the walsender. Raises `source-busy` when that doesn't help. */
export async function awaitInactive(sides: Sides, attempt: Attempt, slot: string): Promise<void> {
  const start = Date.now();
  let ended = false;
  await looking(sides, 'source', async (session) => {
    for (;;) {
      attempt.signal.throwIfAborted();
      const seen = await runSlot(session, slot);
      if (!seen?.active) return;
      const waited = Date.now() - start;
      if (waited > inactiveWithinMs)
        throw new Failure('source-busy', `the slot ${slot} on ${sides.migration.source} is still in use`, { slot });
      if (!ended && waited > patienceMs) {
        ended = true;
        await changing(sides, 'source', attempt, async (changer) => await changer.run(endWalsender, { slot }));
      }
      await wait(50);
    }
  });
}

/** Drops these slots one by one; those that are gone already are passed over. */
export async function dropSlots(sides: Sides, attempt: Attempt, slots: readonly string[]): Promise<void> {
  for (const slot of slots) {
    await awaitInactive(sides, attempt, slot);
    await changing(sides, 'source', attempt, async (session) => await session.run(dropSlot, { slot }));
  }
}
