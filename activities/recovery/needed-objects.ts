import { Failure } from '../../domain/failure.ts';
import type { Session } from '../postgres/session.ts';
import { answered } from './looked.ts';

/** An object as the server itself names it for another server (`pg_identify_object_as_address`). */
interface Needed extends Record<string, unknown> {
  readonly kind: string;
  readonly names: readonly string[];
  readonly args: readonly string[];
  /** In words. */
  readonly name: string;
}

/**
 * What tables and their columns, indexes, constraints, defaults, triggers, rules and policies are built on: functions, types, operators,
 * collations, access methods. Not what comes back with them: `without` are types that are made, and the tables themselves.
 */
async function needed(session: Session, tables: readonly number[]): Promise<Needed[]> {
  return await session.query<Needed>(
    `WITH own (classid, objid) AS (
       SELECT 'pg_class'::regclass::oid, t.oid FROM unnest($1::int8[]::oid[]) AS t (oid)
       UNION SELECT 'pg_class'::regclass, i.indexrelid FROM pg_index i WHERE i.indrelid = ANY ($1::int8[]::oid[])
       UNION SELECT 'pg_constraint'::regclass, o.oid FROM pg_constraint o WHERE o.conrelid = ANY ($1::int8[]::oid[])
       UNION SELECT 'pg_attrdef'::regclass, d.oid FROM pg_attrdef d WHERE d.adrelid = ANY ($1::int8[]::oid[])
       UNION SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger t WHERE t.tgrelid = ANY ($1::int8[]::oid[])
       UNION SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r WHERE r.ev_class = ANY ($1::int8[]::oid[])
       UNION SELECT 'pg_policy'::regclass, p.oid FROM pg_policy p WHERE p.polrelid = ANY ($1::int8[]::oid[]))
     SELECT a.type AS kind, a.object_names AS names, a.object_args AS args, pg_describe_object(n.refclassid, n.refobjid, 0) AS name
       FROM (SELECT DISTINCT d.refclassid, d.refobjid FROM own JOIN pg_depend d USING (classid, objid)
              WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass, 'pg_collation'::regclass,
                                     'pg_opclass'::regclass, 'pg_am'::regclass, 'pg_ts_config'::regclass)) n
      CROSS JOIN LATERAL pg_identify_object_as_address(n.refclassid, n.refobjid, 0) a ORDER BY pg_describe_object(n.refclassid, n.refobjid, 0) COLLATE "C"`,
    [tables],
  );
}

/**
 * Raises `plan-impossible` with all that missing tables are built on and the database in use lacks. Enums and domains come back with
 * them (`made`). Both sessions' search_path must be pg_catalog.
 */
export async function requireNeeded(
  { restored, live }: { readonly restored: Session; readonly live: Session },
  tables: readonly number[],
  made: readonly { readonly schema: string; readonly name: string }[],
): Promise<void> {
  if (tables.length === 0) return;
  const comesBack = new Set(made.map(({ schema, name }) => `${quoted(schema)}.${quoted(name)}`));
  const lacking: string[] = [];
  for (const { kind, names, args, name } of await needed(restored, tables)) {
    if (kind === 'type' && comesBack.has(names[0]?.replace(/\[\]$/, '') ?? '')) continue;
    const found = await answered(
      async () => await live.query('SELECT pg_get_object_address($1, $2::text[], $3::text[])', [kind, names, args]),
    );
    if (found instanceof Failure) lacking.push(name);
  }
  if (lacking.length === 0) return;
  throw new Failure('plan-impossible', `the tables need what the database in use has no more: ${lacking.join(', ')}. Make it there first`, {
    lacking: lacking.slice(0, 50),
  });
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
