import type { Servers, Session } from '../postgres/session.ts';
import type { Description } from './provider.ts';

/** A database by SQL alone, which every provider's answers. */
export async function describe(servers: Servers, database: string): Promise<Description> {
  const session = await servers.open(database, { purpose: 'look' });
  try {
    return await described(session);
  } finally {
    await session.end();
  }
}

async function described(session: Session): Promise<Description> {
  const [row] = await session.query<{ system: string; oid: string; version: number; standby: boolean; timeline: number }>(
    `SELECT s.system_identifier::text AS system, d.oid::int8::text AS oid, pg_is_in_recovery() AS standby,
            current_setting('server_version_num')::int AS version, c.timeline_id AS timeline
       FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()`,
  );
  if (!row) throw new Error('a database that answers stands in pg_database');
  const standbys = await session.query<{ name: string; state: string }>(
    `SELECT a.application_name AS name, coalesce(r.state, 'hidden') AS state
       FROM pg_stat_activity a LEFT JOIN pg_stat_replication r ON r.pid = a.pid
      WHERE a.backend_type = 'walsender' AND a.datid IS NULL ORDER BY 1, 2`,
  );
  return {
    systemIdentifier: row.system,
    databaseOid: Number(row.oid),
    version: row.version,
    inRecovery: row.standby,
    topology: { role: row.standby ? 'standby' : 'primary', timeline: row.timeline, standbys },
  };
}
