import { ownSchema } from '../../replication/own-schema.ts';
import type { Session } from '../session.ts';
import { closingRights } from './closing.ts';
import { lacking, type Right } from './lacking.ts';
import { blocks, listed, warns, type Check, type Found, type View } from './view.ts';
import { withoutSuperuser } from './without-superuser.ts';

/** A superuser has all of them. docs/servers.md has the statements that give them to one who is none. */
const onSource: readonly Right[] = [
  {
    has: '(SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)',
    lacks: 'has no REPLICATION attribute, which making a slot needs',
    fix: 'ALTER ROLE … REPLICATION; some providers have a role to grant instead.',
    level: 'warns',
  },
  {
    has: "has_database_privilege(current_database(), 'CREATE')",
    lacks: 'may not create in the database',
    fix: 'GRANT CREATE ON DATABASE.',
  },
  ...closingRights,
];

const onTarget = (version: number): readonly Right[] => [
  {
    has: `(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)${version >= 160_000 ? " OR pg_has_role('pg_create_subscription', 'USAGE')" : ''}`,
    lacks: 'may not create a subscription',
    fix: 'GRANT pg_create_subscription to it (16 or newer), or give it a superuser.',
  },
  {
    has: "has_database_privilege(current_database(), 'CREATE')",
    lacks: 'may not create in the database',
    fix: 'GRANT CREATE ON DATABASE.',
  },
  ...closingRights,
  {
    has: "has_function_privilege('pg_show_replication_origin_status()', 'EXECUTE') AND has_table_privilege('pg_replication_origin_status', 'SELECT')",
    lacks: 'may not see how far the stream was applied, which the proof against late writes needs',
    fix: 'GRANT EXECUTE ON FUNCTION pg_show_replication_origin_status() and SELECT ON pg_replication_origin_status to it, in this database.',
  },
];

/** Steadyhand's own role: what it is going to do, and whether it may. */
const ownRights: Check = {
  name: 'rights of Steadyhand',
  look: async (view) => {
    const { source, target, facts, migration } = view;
    return [
      ...(await lacking(source, migration.source, onSource)),
      ...(await lacking(target, migration.target, onTarget(facts.binding.target.version))),
      ...(await withoutSuperuser(view)),
    ];
  },
};

/** Read on the source; on the target set, if they are there already. */
const sequenceRights: Check = {
  name: 'sequences',
  look: async ({ source, target, facts, migration }) => {
    const found: Found[] = [];
    for (const [session, side, right] of [
      [source, migration.source, 'SELECT'],
      [target, migration.target, 'UPDATE'],
    ] as const) {
      const sequences = side === migration.source ? facts.binding.source.sequences : facts.binding.target.sequences;
      const names = await without(session, sequences, right);
      if (names.length > 0)
        found.push(
          blocks(
            `Steadyhand's role lacks ${right} on ${listed(names, `sequences of ${side}`)}`,
            `GRANT ${right} ON ALL SEQUENCES IN SCHEMA ….`,
          ),
        );
    }
    return found;
  },
};

async function without(session: Session, sequences: View['facts']['binding']['source']['sequences'], right: string): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT s.schema || '.' || s.name AS name FROM unnest($1::text[], $2::text[]) AS s (schema, name)
       JOIN pg_namespace n ON n.nspname = s.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.name
      WHERE CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, $3) END`,
    [sequences.map((one) => one.schema), sequences.map((one) => one.name), right],
  );
  return rows.map((row) => row.name);
}

/** The names that the run will use must be free, or its own. */
const names: Check = {
  name: 'names',
  look: async ({ source, target, migration, tag }) => {
    const found: Found[] = [];
    for (const [session, side] of [
      [source, migration.source],
      [target, migration.target],
    ] as const) {
      if ((await ownSchema(session)).schema !== 'foreign') continue;
      found.push(blocks(`${side} has a schema "steadyhand" that Steadyhand did not make`, 'Rename it.'));
    }
    const taken = await source.query<{ what: string }>(
      `SELECT 'event trigger ' || e.evtname AS what FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE e.evtname IN ($1::text, $1::text || '_drop') AND n.nspname <> 'steadyhand'
       UNION ALL SELECT 'replication slot ' || slot_name FROM pg_replication_slots WHERE slot_name = $1::text AND plugin IS DISTINCT FROM 'pgoutput'`,
      [tag],
    );
    if (taken.length > 0)
      found.push(
        blocks(
          `${migration.source} has what the run would be called: ${taken.map((row) => row.what).join(', ')}`,
          'Find out whose it is; rename or remove it.',
        ),
      );
    return found;
  },
};

/** CREATE SUBSCRIPTION carries the password as text. */
const passwordInLog: Check = {
  name: 'password in the log',
  look: async ({ servers, migration, facts, target }) => {
    const { server, replication } = servers.entry(migration.source);
    const secret = replication ? replication.secret : server.secret;
    const { superuser, version } = facts.binding.target;
    if (secret === undefined || replication?.passfile !== undefined || superuser) return [];
    const may = version >= 150_000 ? "has_parameter_privilege('log_statement', 'SET')" : 'false';
    const [row] = await target.query<{ logged: string; may: boolean }>(`SELECT current_setting('log_statement') AS logged, ${may} AS may`);
    if (!row || row.logged === 'none' || row.may) return [];
    return [
      warns(
        `${migration.target} logs statements (log_statement = ${row.logged}), and Steadyhand's role may not switch that off: the replication password would stand in its log`,
        'GRANT SET ON PARAMETER log_statement to it (15 or newer), or SET log_statement to none there while the run subscribes.',
      ),
    ];
  },
};

export const rightsChecks: readonly Check[] = [ownRights, sequenceRights, names, passwordInLog];
