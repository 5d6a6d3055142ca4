import { quoteIdentifier } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { Servers, Session } from './session.ts';

/** Something that writes into a database from inside its server: no pooler holds it, and no connection limit keeps it out. */
export interface LoginlessWriter {
  readonly what: string;
  readonly fix: string;
}

export interface LoginlessWriters {
  readonly writers: readonly LoginlessWriter[];
  /** What could not be looked at, and why. */
  readonly unseen: readonly string[];
}

interface Asked {
  readonly servers: Servers;
  /** Of the inventory. */
  readonly database: string;
  /** A session of that database. */
  readonly session: Session;
}

/**
 * Enabled subscriptions, background workers, libraries that are set to work in this database, and active jobs of pg_cron. They start
 * again by themselves after their process was ended. Only looks.
 */
export async function loginlessWriters(asked: Asked): Promise<LoginlessWriters> {
  const { session } = asked;
  const jobs = await cronJobs(asked);
  const found = [await enabledSubscriptions(session), await backgroundWorkers(session), await configuredWorkers(session), jobs.writers];
  return { writers: found.flat(), unseen: jobs.unseen };
}

/** For the sentence "… are at work". */
export const writersText = (writers: readonly LoginlessWriter[]): string => writers.map(({ what }) => what).join(', ');

const here = '(SELECT oid FROM pg_database WHERE datname = current_database())';

async function enabledSubscriptions(session: Session): Promise<LoginlessWriter[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT subname::text AS name FROM pg_subscription WHERE subenabled AND subdbid = ${here} ORDER BY 1`,
  );
  return rows.map(({ name }) => ({ what: `the subscription "${name}"`, fix: `ALTER SUBSCRIPTION ${quoteIdentifier(name)} DISABLE` }));
}

/**
 * Types of process of the server's own; all others are workers of libraries. The launcher of pg_cron writes nothing: its jobs do, and
 * these are looked at by themselves.
 */
const notOfLibraries = ['client backend', 'walsender', 'autovacuum worker', 'parallel worker', 'slotsync worker', 'pg_cron launcher'];

async function backgroundWorkers(session: Session): Promise<LoginlessWriter[]> {
  const rows = await session.query<{ type: string }>(
    `SELECT DISTINCT backend_type AS type FROM pg_stat_activity
      WHERE datname = current_database() AND backend_type <> ALL ($1) AND backend_type NOT LIKE 'logical replication %' ORDER BY 1`,
    [notOfLibraries],
  );
  return rows.map(({ type }) => ({ what: `the background worker "${type}"`, fix: `stop the background worker "${type}"` }));
}

/**
 * Settings of loaded libraries that list this database, such as `pg_partman_bgw.dbname`: most of the time such a worker is in none. One that
 * a session may set is no setting of a worker.
 */
async function configuredWorkers(session: Session): Promise<LoginlessWriter[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT name FROM pg_settings WHERE name LIKE '%.%' AND name <> 'cron.database_name' AND vartype = 'string' AND context IN ('postmaster', 'sighup')
        AND current_database() = ANY (regexp_split_to_array(setting, '[\\s,]+')) ORDER BY 1`,
  );
  return rows.map(({ name }) => ({
    what: `a library by its setting ${name}`,
    fix: `take the database out of ${name} and reload the server`,
  }));
}

/** The jobs stand in one database of the server, whichever they work in. */
async function cronJobs({ servers, database, session }: Asked): Promise<LoginlessWriters> {
  const [row] = await session.query<{ home: string | null; here: string }>(
    "SELECT nullif(current_setting('cron.database_name', true), '') AS home, current_database() AS here",
  );
  if (!row || row.home === null) return { writers: [], unseen: [] };
  if (row.home === row.here) return await jobsIn(session, row.here, row.home);
  try {
    const other = await servers.open(database, { purpose: 'look', dbname: row.home });
    try {
      return await jobsIn(other, row.here, row.home);
    } finally {
      await other.end();
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { writers: [], unseen: [`the jobs of pg_cron, in the database ${row.home}: ${error.message}`] };
  }
}

/** Without their commands, which may hold secrets. */
async function jobsIn(session: Session, database: string, home: string): Promise<LoginlessWriters> {
  const [table] = await session.query<{ there: boolean; own: boolean }>(
    `SELECT c.oid IS NOT NULL AS there, coalesce(row_security_active(c.oid), false) AS own FROM (SELECT to_regclass('cron.job')) AS c (oid)`,
  );
  if (!table?.there) return { writers: [], unseen: [] };
  const jobs = await session.query<{ id: string; name: string }>(
    `SELECT j.jobid::text AS id, coalesce(to_jsonb(j) ->> 'jobname', 'no name') AS name FROM cron.job j
      WHERE j.active AND j.database = $1 ORDER BY j.jobid`,
    [database],
  );
  return {
    writers: jobs.map(({ id, name }) => ({
      what: `job ${id} of pg_cron (${name})`,
      fix: `SELECT cron.alter_job(${id}, active := false) in the database ${home}`,
    })),
    unseen: table.own ? [`the jobs of pg_cron of other roles: only their owners and superusers see them`] : [],
  };
}
