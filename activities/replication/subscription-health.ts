import { Failure } from '../../domain/failure.ts';
import type { Session } from '../postgres/session.ts';
import { runSubscription, type Subscription } from './subscription.ts';
import type { Sides } from './side.ts';

/**
 * The run's subscription, if it can get on. Raises `replication-failed` when it is gone, was switched off (by itself after an
 * error: `disable_on_error`), with what its counters say. `session` is one of the target.
 */
export async function healthySubscription(sides: Sides, session: Session, tag: string): Promise<Subscription> {
  const { target } = sides.migration;
  const seen = await runSubscription(session, tag);
  if (!seen) throw new Failure('replication-failed', `the subscription "${tag}" on ${target} is gone`, { tag });
  if (seen.enabled) return seen;
  const { apply, copy } = await errorCounts(session, seen.oid, sides.facts.binding.target.version);
  const unfinished = seen.tables.filter((one) => one.state !== 'r' && one.state !== 's').map((one) => `${one.schema}.${one.name}`);
  const where = copy > 0 ? `while tables were copied (not finished: ${unfinished.slice(0, 10).join(', ')})` : 'while changes were applied';
  throw new Failure(
    'replication-failed',
    `the subscription "${tag}" on ${target} is switched off after ${apply + copy} errors, ${where}. The error stands in the log of ${target}.` +
      ` Mend it, run ALTER SUBSCRIPTION "${tag}" ENABLE there, then retry`,
    { tag, applyErrors: apply, copyErrors: copy, unfinished },
  );
}

/** Errors since the subscription was made; versions before 15 don't count them. */
async function errorCounts(session: Session, oid: number, version: number): Promise<{ apply: number; copy: number }> {
  if (version < 150_000) return { apply: 0, copy: 0 };
  const [row] = await session.query<{ apply: number; copy: number }>(
    'SELECT apply_error_count::int AS apply, sync_error_count::int AS copy FROM pg_stat_subscription_stats WHERE subid = $1',
    [oid],
  );
  return row ?? { apply: 0, copy: 0 };
}
