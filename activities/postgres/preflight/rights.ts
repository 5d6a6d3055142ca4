import { ownSchema } from '../../replication/own-schema.ts';
import type { Session } from '../session.ts';
import { blocks, listed, warns, type Check, type Found, type View } from './view.ts';

/** Steadyhand's own role: what it is going to do, and whether it may. */
const ownRights: Check = {
  name: 'rights of Steadyhand',
  look: async ({ source, target, facts, migration }) => {
    const found: Found[] = [];
    const [here] = await source.query<{
      replicates: boolean;
      creates: boolean;
      owns: boolean;
      triggers: boolean;
      sees: boolean;
      ends: boolean;
    }>(
      `SELECT rolreplication OR rolsuper AS replicates, has_database_privilege(current_database(), 'CREATE') AS creates,
              rolsuper OR pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') AS owns, rolsuper AS triggers,
              pg_has_role('pg_read_all_stats', 'USAGE') AS sees, pg_has_role('pg_signal_backend', 'USAGE') AS ends
         FROM pg_roles WHERE rolname = current_user`,
    );
    if (!here?.replicates)
      found.push(
        warns(
          `Steadyhand's role on ${migration.source} has no REPLICATION attribute, which making a slot needs`,
          'ALTER ROLE … REPLICATION; some providers have a role to grant instead.',
        ),
      );
    if (!here?.creates)
      found.push(blocks(`Steadyhand's role may not create in the database of ${migration.source}`, 'GRANT CREATE ON DATABASE.'));
    if (!here?.owns)
      found.push(
        blocks(
          `Steadyhand's role does not own the database of ${migration.source}, so it can't set its connection limit`,
          'GRANT the owning role to it.',
        ),
      );
    if (!here?.triggers)
      found.push(
        blocks(
          `Steadyhand's role on ${migration.source} is no superuser, which the event triggers of the DDL freeze need`,
          'Give it SUPERUSER for the time of the run.',
        ),
      );
    if (!here?.sees || !here.ends)
      found.push(
        blocks(
          `Steadyhand's role on ${migration.source} may not ${here?.sees ? 'end' : 'see'} other sessions, so it can't close the database for the switch`,
          'GRANT pg_monitor and pg_signal_backend to it.',
        ),
      );
    const [there] = await target.query<{ subscribes: boolean; creates: boolean; passes: boolean }>(
      `SELECT rolsuper AS passes, rolsuper OR ${facts.binding.target.version >= 160_000 ? `pg_has_role('pg_create_subscription', 'USAGE')` : 'false'} AS subscribes,
              has_database_privilege(current_database(), 'CREATE') AS creates FROM pg_roles WHERE rolname = current_user`,
    );
    if (!there?.subscribes)
      found.push(
        blocks(
          `Steadyhand's role on ${migration.target} may not create a subscription`,
          'GRANT pg_create_subscription to it (16 or newer), or give it a superuser.',
        ),
      );
    if (!there?.passes)
      found.push(
        blocks(
          `Steadyhand's role on ${migration.target} is no superuser, so it could not come in any more once the target is closed to clients`,
          'Give it SUPERUSER for the time of the run.',
        ),
      );
    if (!there?.creates)
      found.push(blocks(`Steadyhand's role may not create in the database of ${migration.target}`, 'GRANT CREATE ON DATABASE.'));
    return found;
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
    if (secret === undefined || replication?.passfile !== undefined || facts.binding.target.superuser) return [];
    const [row] = await target.query<{ logged: string }>(`SELECT current_setting('log_statement') AS logged`);
    if (!row || row.logged === 'none') return [];
    return [
      warns(
        `${migration.target} logs statements (log_statement = ${row.logged}), and Steadyhand's role may not switch that off: the replication password would stand in its log`,
        'Use a password file on the target: replication.passfile in the inventory.',
      ),
    ];
  },
};

export const rightsChecks: readonly Check[] = [ownRights, sequenceRights, names, passwordInLog];
