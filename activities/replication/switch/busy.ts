import type { Session } from '../../postgres/session.ts';

export interface OpenTransaction {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string;
  readonly state: string | null;
  readonly ms: number;
}

/** Transactions of clients in this database that have been open for longer than `olderThanMs`, oldest first. */
export async function longTransactions(session: Session, olderThanMs: number, ours: readonly number[]): Promise<OpenTransaction[]> {
  return await session.query<OpenTransaction & Record<string, unknown>>(
    `SELECT pid, usename AS user, application_name AS application, state,
            round(extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 AS ms
       FROM pg_stat_activity
      WHERE datname = current_database() AND backend_type NOT IN ('walsender', 'autovacuum worker')
        AND xact_start < clock_timestamp() - $1 * interval '1 ms' AND pid <> ALL ($2::int[])
      ORDER BY xact_start LIMIT 20`,
    [olderThanMs, ours],
  );
}

/** Transactions with an xid in any database of the server that have been open for longer than `olderThanMs`, oldest first. */
export async function longWriters(session: Session, olderThanMs: number): Promise<OpenTransaction[]> {
  return await session.query<OpenTransaction & Record<string, unknown>>(
    `SELECT pid, usename AS user, application_name AS application, state,
            round(extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 AS ms
       FROM pg_stat_activity
      WHERE backend_xid IS NOT NULL AND xact_start < clock_timestamp() - $1 * interval '1 ms'
      ORDER BY xact_start LIMIT 20`,
    [olderThanMs],
  );
}

/** Global ids of prepared transactions: of this database, or of all of the server. */
export async function preparedTransactions(session: Session, where: 'here' | 'anywhere'): Promise<string[]> {
  const rows = await session.query<{ gid: string }>(
    `SELECT gid FROM pg_prepared_xacts WHERE $1 OR database = current_database() ORDER BY prepared LIMIT 20`,
    [where === 'anywhere'],
  );
  return rows.map((row) => row.gid);
}

/** "process 4711 (app, psql, idle in transaction) for 3500 ms; …" */
export function transactionsText(transactions: readonly OpenTransaction[]): string {
  return transactions
    .map((one) => `process ${one.pid} (${[one.user, one.application, one.state].filter(Boolean).join(', ')}) for ${Math.round(one.ms)} ms`)
    .join('; ');
}
