import { bytesText } from '../../domain/bytes.ts';
import { Failure, notYet } from '../../domain/failure.ts';
import { qualified } from '../../domain/command.ts';
import type { Progress } from '../../domain/step.ts';
import type { Attempt } from '../attempt.ts';
import type { Session } from '../postgres/session.ts';
import { replicatedTables } from './facts.ts';
import { looking, type Sides } from './side.ts';
import { healthySlot } from './slot-health.ts';
import { healthySubscription } from './subscription-health.ts';
import type { Subscription } from './subscription.ts';

/** What one look leaves to the next: when and with how many bytes the first one was, and how many there were. */
interface Memory {
  readonly looks: number;
  readonly firstAt: number;
  readonly firstBytes: number;
}

const soonestMs = 500;
const latestMs = 2_000;

/**
 * Looks once whether every table is copied. Else throws `not-yet`; the next look comes after 0.5 s, later 2 s. Raises
 * `replication-failed` when the subscription has stopped or its slot can't serve it any more, `objects-differ` when it carries other tables than the plan.
 */
export async function initialCopy(sides: Sides, attempt: Attempt): Promise<{ tables: number; bytes: number }> {
  const { subscription, copying } = await looking(sides, 'target', async (session) => ({
    subscription: await healthySubscription(sides, session, attempt.tag),
    copying: await runningCopies(session, sides.facts.binding.target.version),
  }));
  refuseOtherTables(sides, subscription);
  if (!subscription.working) await looking(sides, 'source', async (session) => await healthySlot(sides, session, attempt.tag));
  const sizes = new Map(sides.facts.observed.tables.map((one) => [qualified(one), one]));
  const done = subscription.tables.filter((one) => one.state === 'r');
  const tables = replicatedTables(sides.facts);
  const bytes = tables.reduce((sum, one) => sum + (sizes.get(qualified(one))?.bytes ?? 0), 0);
  if (done.length === tables.length) return { tables: tables.length, bytes };
  const copied = subscription.tables.reduce((sum, one) => {
    const size = sizes.get(qualified(one));
    if (!size) return sum;
    if (one.state !== 'i' && one.state !== 'd') return sum + size.bytes;
    return sum + Math.min(1, (copying.get(qualified(one)) ?? 0) / Math.max(1, size.rows)) * size.bytes;
  }, 0);
  const rows = [...copying.values()].reduce((sum, one) => sum + one, 0);
  const memory = remembered(attempt.checkpoint, copied);
  const progress = progressOf({ done: done.length, tables: tables.length, copied, bytes, rows, connected: subscription.working }, memory);
  attempt.save({ ...memory, looks: memory.looks + 1 });
  attempt.progress(progress);
  throw notYet(progress.summary, Math.round(Math.min(latestMs, soonestMs * 1.3 ** memory.looks)));
}

/** Rows so far of each table that is being copied now. Versions before 14 don't tell. */
async function runningCopies(session: Session, version: number): Promise<Map<string, number>> {
  if (version < 140_000) return new Map();
  const rows = await session.query<{ schema: string; name: string; rows: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, p.tuples_processed::text AS rows
       FROM pg_stat_progress_copy p JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE p.datname = current_database() AND p.type = 'CALLBACK'`,
  );
  return new Map(rows.map((row) => [qualified(row), Number(row.rows)]));
}

function refuseOtherTables(sides: Sides, subscription: Subscription): void {
  const planned = new Set(replicatedTables(sides.facts).map(qualified));
  const seen = new Set(subscription.tables.map(qualified));
  const missing = [...planned].filter((one) => !seen.has(one));
  const more = [...seen].filter((one) => !planned.has(one));
  if (missing.length + more.length === 0) return;
  const what = [...missing.map((one) => `lacks ${one}`), ...more.map((one) => `has ${one}`)].slice(0, 10).join(', ');
  throw new Failure('objects-differ', `the subscription on ${sides.migration.target} carries other tables than the plan: it ${what}`, {
    missing,
    more,
  });
}

function remembered(checkpoint: unknown, copied: number): Memory {
  if (
    typeof checkpoint === 'object' &&
    checkpoint !== null &&
    'looks' in checkpoint &&
    'firstAt' in checkpoint &&
    'firstBytes' in checkpoint
  ) {
    return { looks: Number(checkpoint.looks), firstAt: Number(checkpoint.firstAt), firstBytes: Number(checkpoint.firstBytes) };
  }
  return { looks: 0, firstAt: Date.now(), firstBytes: copied };
}

interface Copied {
  readonly done: number;
  readonly tables: number;
  readonly copied: number;
  readonly bytes: number;
  readonly rows: number;
  readonly connected: boolean;
}

function progressOf(seen: Copied, memory: Memory): Progress {
  const seconds = (Date.now() - memory.firstAt) / 1_000;
  const rate = seconds > 0.2 ? (seen.copied - memory.firstBytes) / seconds : 0;
  const secondsLeft = rate > 0 ? Math.ceil((seen.bytes - seen.copied) / rate) : undefined;
  const parts = [
    `${seen.done} of ${seen.tables} tables`,
    `${bytesText(seen.copied)} of ${bytesText(seen.bytes)}`,
    ...(seen.rows > 0 ? [`${seen.rows} rows of the running tables`] : []),
    ...(rate > 0 ? [`${bytesText(rate)}/s`] : []),
    ...(seen.connected ? [] : ['the target is not connected to the source']),
  ];
  return {
    summary: parts.join(', '),
    ...(seen.bytes > 0 ? { fraction: Math.min(1, seen.copied / seen.bytes) } : {}),
    ...(secondsLeft === undefined ? {} : { secondsLeft }),
  };
}
