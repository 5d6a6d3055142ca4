import { Failure, notYet } from '../../domain/failure.ts';
import type { Attempt } from '../attempt.ts';
import { loginlessWriters, writersText } from '../postgres/loginless-writers.ts';
import type { Servers, Session } from '../postgres/session.ts';
import type { Migration } from './contract.ts';
import type { MigrationFacts } from './facts.ts';
import { refuseSharedAlias } from './switch/before.ts';
import { longTransactions, longWriters, preparedTransactions, transactionsText } from './switch/busy.ts';
import { compareSets } from './switch/same-tables.ts';
import { refuseChangedDefinitions } from './unchanged-definitions.ts';

const lookAgainMs = 2_000;

interface Dependencies {
  readonly servers: Servers;
  facts(digest: string): Promise<MigrationFacts>;
}

/**
 * Looks once whether both sides are quiet enough for the switch; `not-yet` with the reason and the next look in 2 s. Throws
 * `objects-differ` when the two sides do not replicate the same tables, `replication-failed` when the subscription stopped or has
 * met errors, `conflict` when another alias of the pooler leads to the database too.
 */
export async function gate({ servers, facts }: Dependencies, migration: Migration, attempt: Attempt): Promise<{ lagBytes: number }> {
  const planned = await facts(migration.facts);
  const { pooler } = servers.entry(migration.source);
  if (pooler) await refuseSharedAlias(pooler, planned);
  const source = await servers.open(migration.source, { purpose: 'look', identity: planned.binding.source });
  try {
    const target = await servers.open(migration.target, { purpose: 'look', identity: planned.binding.target });
    try {
      return await look({ servers, source, target, planned, migration, attempt });
    } finally {
      await target.end();
    }
  } finally {
    await source.end();
  }
}

interface Looking {
  readonly servers: Servers;
  readonly source: Session;
  readonly target: Session;
  readonly planned: MigrationFacts;
  readonly migration: Migration;
  readonly attempt: Attempt;
}

async function look({ servers, source, target, planned, migration, attempt }: Looking): Promise<{ lagBytes: number }> {
  await refuseStopped(target, migration, attempt.tag, planned.binding.target.version);
  await refuseChangedDefinitions(source, migration.source, planned);
  const sets = await compareSets(source, target, planned, attempt.tag);
  if (sets.differences.length > 0) {
    const text = sets.differences.slice(0, 10).join('; ');
    throw new Failure('objects-differ', `${migration.source} and ${migration.target}: ${text}`, { wrong: sets.differences.slice(0, 50) });
  }
  const { lagBytes, pauseMs } = migration.limits;
  const lag = await lagOf(source, attempt.tag);
  const long = await longTransactions(source, pauseMs, [source.pid]);
  const writers = await longWriters(target, pauseMs);
  const { writers: inside } = await loginlessWriters({ servers, database: migration.source, session: source });
  const prepared = [...(await preparedTransactions(source, 'here')), ...(await preparedTransactions(target, 'anywhere'))];
  const reasons = [
    ...(sets.notReady.length > 0 ? [`still being copied: ${sets.notReady.slice(0, 5).join(', ')}`] : []),
    ...(lag === null ? [`the slot ${attempt.tag} is not in use`] : []),
    ...(lag !== null && lag > lagBytes ? [`the target is ${lag} bytes behind, the limit is ${lagBytes}`] : []),
    ...(long.length > 0 ? [`long transactions on ${migration.source}: ${transactionsText(long)}`] : []),
    ...(writers.length > 0 ? [`long writing transactions on the server of ${migration.target}: ${transactionsText(writers)}`] : []),
    ...(inside.length > 0 ? [`what writes into ${migration.source} without a login: ${writersText(inside)}`] : []),
    ...(prepared.length > 0 ? [`prepared transactions: ${prepared.join(', ')}`] : []),
  ];
  if (reasons.length > 0 || lag === null) {
    attempt.progress({ summary: `not quiet yet: ${reasons.join('; ')}` });
    throw notYet(reasons.join('; '), lookAgainMs);
  }
  return { lagBytes: lag };
}

async function lagOf(source: Session, tag: string): Promise<number | null> {
  const [row] = await source.query<{ active: boolean; bytes: number | null }>(
    `SELECT active, greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn))::float8 AS bytes
       FROM pg_replication_slots WHERE slot_name = $1`,
    [tag],
  );
  return row?.active ? row.bytes : null;
}

/** Error counts came with 15. They only grow, so one that was mended must be reset by whoever mended it. */
async function refuseStopped(target: Session, migration: Migration, tag: string, version: number): Promise<void> {
  const errors =
    version >= 150_000 ? 'coalesce((SELECT apply_error_count FROM pg_stat_subscription_stats t WHERE t.subid = s.oid), 0)::int' : '0';
  const [row] = await target.query<{ enabled: boolean; errors: number; oid: number }>(
    `SELECT subenabled AS enabled, ${errors} AS errors, oid FROM pg_subscription s
      WHERE subname = $1 AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [tag],
  );
  if (!row) throw new Failure('replication-failed', `the subscription ${tag} is not on ${migration.target}`);
  if (!row.enabled) throw new Failure('replication-failed', `the subscription ${tag} on ${migration.target} is disabled`);
  if (row.errors > 0) {
    const reset = `SELECT pg_stat_reset_subscription_stats(${row.oid})`;
    throw new Failure('replication-failed', `applying on ${migration.target} met ${row.errors} errors; when they are mended: ${reset}`, {
      errors: row.errors,
    });
  }
}
