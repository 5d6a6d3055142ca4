import { Failure } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { detachSlot, disableSubscription, dropSubscription } from './commands.ts';
import { changing, looking, type Sides } from './side.ts';

export interface Subscription {
  readonly oid: number;
  readonly enabled: boolean;
  /** null when it was detached. */
  readonly slot: string | null;
  readonly publications: readonly string[];
  /** Whether a worker is connected. */
  readonly working: boolean;
  readonly tables: readonly { readonly schema: string; readonly name: string; readonly state: string }[];
}

/** The subscription with the run's tag in this database. */
export async function runSubscription(session: Session, tag: string): Promise<Subscription | undefined> {
  const [row] = await session.query<Omit<Subscription, 'oid' | 'tables'> & { oid: string; tables: Subscription['tables'] | null }>(
    `SELECT s.oid::int8::text AS oid, s.subenabled AS enabled, s.subslotname::text AS slot, s.subpublications AS publications,
            EXISTS (SELECT FROM pg_stat_subscription w WHERE w.subid = s.oid AND w.relid IS NULL AND w.pid IS NOT NULL) AS working,
            (SELECT json_agg(json_build_object('schema', n.nspname, 'name', c.relname, 'state', r.srsubstate))
               FROM pg_subscription_rel r JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE r.srsubid = s.oid) AS tables
       FROM pg_subscription s
      WHERE s.subname = $1 AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [tag],
  );
  return row && { ...row, oid: Number(row.oid), tables: row.tables ?? [] };
}

/** A subscription of our name that streams from another slot or publication. */
export function isForeignSubscription(seen: Subscription, tag: string): boolean {
  return (seen.slot !== null && seen.slot !== tag) || seen.publications.join() !== tag;
}

/** Stops the target's worker. Nothing when it is stopped or gone. */
export async function stopSubscription(sides: Sides, attempt: Attempt): Promise<void> {
  const seen = await ownSubscription(sides, attempt.tag);
  if (!seen?.enabled) return;
  await changing(sides, 'target', attempt, async (session) => await session.run(disableSubscription, { tag: attempt.tag }));
}

/** Detached from its slot before, so that it needs no source; the slots are dropped apart from it. Nothing when it is gone. */
export async function removeSubscription(sides: Sides, attempt: Attempt): Promise<void> {
  await stopSubscription(sides, attempt);
  const seen = await ownSubscription(sides, attempt.tag);
  if (!seen) return;
  await changing(sides, 'target', attempt, async (session) => {
    if (seen.slot !== null) await session.run(detachSlot, { tag: attempt.tag });
    await session.run(dropSubscription, { tag: attempt.tag });
  });
}

/** Raises `foreign-object` when the subscription of our name isn't ours. */
export async function ownSubscription(sides: Sides, tag: string): Promise<Subscription | undefined> {
  const seen = await looking(sides, 'target', async (session) => await runSubscription(session, tag));
  if (seen && isForeignSubscription(seen, tag)) throw new Failure('foreign-object', foreignSubscription(sides, tag));
  return seen;
}

export function foreignSubscription(sides: Sides, tag: string): string {
  return `${sides.migration.target} has a subscription "${tag}" that streams something else`;
}
