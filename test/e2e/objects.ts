import type pg from 'pg';

/** Everything of a database that a run could leave or take: objects with their definitions, rows, slots, settings, logins. */
export async function worldOf(client: pg.Client): Promise<Record<string, unknown>> {
  const rows = async (sql: string): Promise<unknown[]> => (await client.query<Record<string, unknown>>(sql)).rows;
  const tables = await client.query<{ name: string }>(
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1",
  );
  const counts: [string, unknown][] = [];
  for (const { name } of tables.rows)
    counts.push([name, (await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${name}`)).rows[0]?.count]);
  return {
    counts: Object.fromEntries(counts),
    relations: await rows(
      "SELECT n.nspname, c.relname, c.relkind, c.relreplident, c.relacl::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2",
    ),
    columns: await rows(
      "SELECT attrelid::regclass::text AS relation, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE attnum > 0 AND NOT attisdropped AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, attnum",
    ),
    constraints: await rows('SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2'),
    functions: await rows(
      "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1",
    ),
    types: await rows(
      "SELECT t.oid::regtype::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1",
    ),
    schemas: await rows("SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' ORDER BY 1"),
    extensions: await rows('SELECT extname FROM pg_extension ORDER BY 1'),
    eventTriggers: await rows('SELECT evtname FROM pg_event_trigger ORDER BY 1'),
    publications: await rows('SELECT pubname FROM pg_publication ORDER BY 1'),
    subscriptions: await rows(
      'SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1',
    ),
    slots: await rows('SELECT slot_name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1'),
    limit: await rows('SELECT datconnlimit, datallowconn FROM pg_database WHERE datname = current_database()'),
    logins: await rows("SELECT rolname, rolcanlogin, rolsuper FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1"),
  };
}
