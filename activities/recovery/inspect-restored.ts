import { qualified } from '../../domain/command.ts';
import type { Session } from '../postgres/session.ts';
import type { ChosenTable } from './contract.ts';
import type { Column, Definition, MissingSchema, MissingType } from './facts.ts';

/** A table of the restored copy, with all that it takes to make it again. */
export interface RestoredTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly where: string | null;
  /** The chosen table that it came with, qualified: its own, or that of a partition's root. */
  readonly root: string;
  readonly columns: readonly Column[];
  readonly within: readonly { readonly schema: string; readonly name: string }[];
  readonly definition: Definition;
  /** Oids of the tables that it refers to, is a partition of or inherits from. */
  readonly refersTo: readonly number[];
  /** Tables that inherit from it and are no partitions. */
  readonly heirs: readonly { readonly schema: string; readonly name: string }[];
}

/** Names come out qualified and quoted, values alike on every server. */
export async function writeAlike(session: Session): Promise<void> {
  const settings = [
    'search_path = pg_catalog',
    'quote_all_identifiers = on',
    'row_security = off',
    'idle_in_transaction_session_timeout = 0',
  ];
  const values = [
    "TimeZone = 'UTC'",
    "DateStyle = 'ISO, YMD'",
    "IntervalStyle = 'postgres'",
    'extra_float_digits = 1',
    "bytea_output = 'hex'",
  ];
  const more = ["lc_monetary = 'C'", "xmlbinary = 'base64'", "client_encoding = 'UTF8'"];
  await session.query([...settings, ...values, ...more].map((one) => `SET ${one}`).join('; '));
}

/** The chosen tables with all of their partitions, roots first. What is not there is left out. */
export async function restoredTables(session: Session, version: number, chosen: readonly ChosenTable[]): Promise<RestoredTable[]> {
  const found = new Map<number, RestoredTable>();
  for (const { schema, name, where } of chosen) {
    const rows = await session.query<Omit<RestoredTable, 'where' | 'root'> & Record<string, unknown>>(
      `WITH RECURSIVE tree (oid, depth) AS (
         SELECT c.oid, 0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
         UNION ALL SELECT i.inhrelid, t.depth + 1 FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
           JOIN pg_class k ON k.oid = i.inhrelid AND k.relispartition)
       SELECT c.oid::int8::float8 AS oid, n.nspname AS schema, c.relname AS name,
              coalesce(${columns}, '[]'::json) AS columns, ${definition(version)} AS definition,
              ${refersTo} AS "refersTo", ${heirs} AS heirs, ${within} AS within
         FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') ORDER BY tree.depth, n.nspname COLLATE "C", c.relname COLLATE "C"`,
      [schema, name],
    );
    for (const row of rows)
      if (!found.has(row.oid)) found.set(row.oid, { ...row, where: where ?? null, root: qualified({ schema, name }) });
  }
  return [...found.values()];
}

const refersTo = `
  coalesce((SELECT json_agg(x.oid) FROM (
     SELECT o.confrelid::int8 AS oid FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype = 'f'
     UNION SELECT h.inhparent::int8 FROM pg_inherits h WHERE h.inhrelid = c.oid) x), '[]'::json)`;

const columns = `
  (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
            'collation', (SELECT quote_ident(ln.nspname) || '.' || quote_ident(l.collname) FROM pg_collation l
                            JOIN pg_namespace ln ON ln.oid = l.collnamespace JOIN pg_type t ON t.oid = a.atttypid
                           WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation),
            'expression', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = c.oid AND d.adnum = a.attnum),
            'identity', CASE WHEN c.relispartition THEN '' ELSE a.attidentity END, 'generated', a.attgenerated,
            'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)`;

const list = (of: string): string => `coalesce((SELECT json_agg(x ORDER BY x.name COLLATE "C") FROM (${of}) x), '[]'::json)`;

const heirs = list(`SELECT kn.nspname AS schema, k.relname AS name FROM pg_inherits h JOIN pg_class k ON k.oid = h.inhrelid
  JOIN pg_namespace kn ON kn.oid = k.relnamespace WHERE h.inhparent = c.oid AND k.relkind = 'r' AND NOT k.relispartition`);

const within = list(`SELECT n.nspname AS schema, r.relname AS name FROM pg_partition_ancestors(c.oid) a JOIN pg_class r ON r.oid = a.relid
  JOIN pg_namespace n ON n.oid = r.relnamespace WHERE a.relid <> c.oid`);

const constraintsOf = (types: string): string =>
  list(`SELECT o.conname AS name, pg_get_constraintdef(o.oid) AS definition, obj_description(o.oid, 'pg_constraint') AS comment
          FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype IN (${types})
           AND (o.contype <> 'f' OR o.conparentid = 0)`);

/** The privileges in an ACL; \`column\` is null for those on the whole. */
const grantsOf = (acl: string, column: string): string => `
  SELECT CASE WHEN x.grantee = 0 THEN NULL ELSE pg_get_userbyid(x.grantee) END AS "to", x.privilege_type AS privilege,
         x.is_grantable AS grantable, ${column} AS "column", coalesce(pg_get_userbyid(x.grantee), '') AS name
    FROM aclexplode(${acl}) x`;

const sequences = list(`
  SELECT s.relname AS name, a.attname AS column, p.deptype = 'i' AS identity, format_type(q.seqtypid, NULL) AS type,
         q.seqstart::text AS start, q.seqincrement::text AS increment, q.seqmin::text AS min, q.seqmax::text AS max,
         q.seqcache::text AS cache, q.seqcycle AS cycle, q.seqstart::text AS value, false AS called,
         ${list(grantsOf('s.relacl', 'NULL::name'))} AS grants
    FROM pg_depend p JOIN pg_class s ON s.oid = p.objid AND s.relkind = 'S' JOIN pg_sequence q ON q.seqrelid = s.oid
    JOIN pg_attribute a ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid
   WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid AND p.deptype IN ('a', 'i')
     AND NOT (c.relispartition AND p.deptype = 'i')`);

const definition = (version: number): string => `json_build_object(
  'kind', CASE c.relkind WHEN 'p' THEN 'partitioned' ELSE 'table' END, 'owner', pg_get_userbyid(c.relowner),
  'unlogged', c.relpersistence = 'u', 'options', c.reloptions,
  'partitionKey', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, 'bound', pg_get_expr(c.relpartbound, c.oid),
  'parents', ${list(`SELECT pn.nspname AS schema, p.relname AS name FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent
                       JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid`)},
  'constraints', ${constraintsOf(`'p', 'u', 'x', 'c'`)}, 'foreignKeys', ${constraintsOf(`'f'`)},
  'indexes', ${list(`SELECT i.relname AS name, pg_get_indexdef(i.oid) AS definition, obj_description(i.oid, 'pg_class') AS comment, x.indisunique AS unique
                       FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisvalid
                        AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.oid AND o.contype IN ('p', 'u', 'x'))`)},
  'triggers', ${list(`SELECT t.tgname AS name, pg_get_triggerdef(t.oid) AS definition, t.tgenabled AS enabled,
                             obj_description(t.oid, 'pg_trigger') AS comment FROM pg_trigger t
                       WHERE t.tgrelid = c.oid AND NOT t.tgisinternal${version >= 130_000 ? ' AND t.tgparentid = 0' : ''}`)},
  'rules', ${list(`SELECT r.rulename AS name, pg_get_ruledef(r.oid) AS definition, obj_description(r.oid, 'pg_rewrite') AS comment
                     FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'`)},
  'statistics', ${list(`SELECT s.stxname AS name, pg_get_statisticsobjdef(s.oid) AS definition, obj_description(s.oid, 'pg_statistic_ext') AS comment
                          FROM pg_statistic_ext s WHERE s.stxrelid = c.oid`)},
  'policies', ${list(`SELECT p.polname AS name, p.polcmd AS command, p.polpermissive AS permissive,
                             coalesce((SELECT json_agg(pg_get_userbyid(r) ORDER BY r) FROM unnest(p.polroles) r WHERE r <> 0), '[]'::json) AS roles,
                             pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check
                        FROM pg_policy p WHERE p.polrelid = c.oid`)},
  'sequences', ${sequences},
  'grants', CASE WHEN c.relacl IS NULL AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL) THEN '[]'::json
                 ELSE ${list(`${grantsOf('c.relacl', 'NULL::name')} UNION ALL
                   SELECT g."to", g.privilege, g.grantable, a.attname, g.name FROM pg_attribute a
                    CROSS JOIN LATERAL (${grantsOf('a.attacl', 'a.attname')}) g WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL`)} END,
  'comment', obj_description(c.oid, 'pg_class'),
  'ofType', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
  'clusterIndex', (SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisclustered),
  'rowSecurity', CASE WHEN c.relforcerowsecurity THEN 'forced' WHEN c.relrowsecurity THEN 'on' ELSE 'off' END,
  'replicaIdentity', c.relreplident,
  'identityIndex', (SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisreplident))`;

/** How far the sequences have come; only their own tables tell. */
export async function withValues(session: Session, table: RestoredTable): Promise<RestoredTable> {
  const sequences = [];
  for (const one of table.definition.sequences) {
    sequences.push({ ...one, ...(await sequenceValue(session, `${quoted(table.schema)}.${quoted(one.name)}`)) });
  }
  return { ...table, definition: { ...table.definition, sequences } };
}

export async function sequenceValue(session: Session, place: string): Promise<{ value: string; called: boolean } | undefined> {
  const [row] = await session.query<{ value: string; called: boolean }>(
    `SELECT last_value::text AS value, is_called AS called FROM ${place}`,
  );
  return row;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The schemas of these names. */
export async function restoredSchemas(session: Session, names: readonly string[]): Promise<MissingSchema[]> {
  return await session.query<MissingSchema & Record<string, unknown>>(
    `SELECT n.nspname AS name, pg_get_userbyid(n.nspowner) AS owner, ${list(grantsOf('n.nspacl', 'NULL::name'))} AS grants
       FROM pg_namespace n WHERE n.nspname = ANY ($1) ORDER BY n.nspname COLLATE "C"`,
    [names],
  );
}

/** Enums and domains that the tables' columns are of, and those that the domains build on, these first. */
export async function restoredTypes(session: Session, tables: readonly RestoredTable[]): Promise<MissingType[]> {
  return await session.query<MissingType & Record<string, unknown>>(
    `WITH RECURSIVE used (oid, depth) AS (
       SELECT coalesce(nullif(t.typelem, 0), t.oid), 0 FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = ANY ($1::int8[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
       UNION ALL SELECT coalesce(nullif(b.typelem, 0), b.oid), u.depth + 1 FROM used u JOIN pg_type t ON t.oid = u.oid AND t.typtype = 'd'
         JOIN pg_type b ON b.oid = t.typbasetype)
     SELECT n.nspname AS schema, t.typname AS name, pg_get_userbyid(t.typowner) AS owner,
            CASE WHEN t.typtype = 'e' THEN (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) END AS values,
            CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) || coalesce(' DEFAULT ' || t.typdefault, '')
                 || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END END AS base,
            ${list(`SELECT o.conname AS name, pg_get_constraintdef(o.oid) AS definition FROM pg_constraint o WHERE o.contypid = t.oid AND o.contype = 'c'`)} AS checks
       FROM (SELECT oid, max(depth) AS depth FROM used GROUP BY oid) u JOIN pg_type t ON t.oid = u.oid JOIN pg_namespace n ON n.oid = t.typnamespace
      WHERE t.typtype IN ('e', 'd') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      ORDER BY u.depth DESC, n.nspname COLLATE "C", t.typname COLLATE "C"`,
    [tables.map((one) => one.oid)],
  );
}
