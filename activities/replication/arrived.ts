import type { Session } from '../postgres/session.ts';

/**
 * Whether the target has applied everything that the source committed up to this position of its WAL. The subscription's worker
 * handles messages in order. A keepalive (`latest_end_lsn`) comes after all commits before its position, also when these change
 * nothing that is published. `target` is a session of the target.
 */
export async function hasArrived(target: Session, tag: string, lsn: string): Promise<boolean> {
  const [row] = await target.query<{ arrived: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_subscription s, pg_stat_get_subscription(s.oid) w
                     WHERE s.subname = $1 AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                       AND w.relid IS NULL AND w.latest_end_lsn >= $2::pg_lsn) AS arrived`,
    [tag, lsn],
  );
  return row?.arrived ?? false;
}
