import { digestOf } from '../../domain/digest.ts';
import type { TableFacts } from '../replication/facts.ts';
import type { Session } from './session.ts';
import { ownObject, userSchema } from './user-objects.ts';

interface Row extends Record<string, unknown> {
  readonly schema: string;
  readonly name: string;
  readonly identity: string;
  readonly primaryKey: readonly string[] | null;
  readonly identityKey: readonly string[] | null;
  readonly persistence: string;
  readonly security: TableFacts['rowSecurity'];
  readonly columns: readonly Column[] | null;
  readonly constraints: readonly string[] | null;
  readonly indexes: readonly string[] | null;
  readonly parents: readonly string[] | null;
  readonly bound: string | null;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly identity: string;
  readonly generated: string;
  readonly collation: string | null;
}

/** The user tables in the order of their names' bytes. The session's `search_path` must be `pg_catalog`, see `inspectSide`. */
export async function tableFacts(session: Session, version: number): Promise<TableFacts[]> {
  const rows = (await session.query<Row>(tablesSql(version))).map(sameInAllVersions);
  return rows.map((row) => {
    const primaryKey = row.primaryKey ?? [];
    const columns = row.columns ?? [];
    return {
      schema: row.schema,
      name: row.name,
      replicaIdentity: row.identity,
      primaryKey,
      key: primaryKey.length > 0 ? primaryKey : (row.identityKey ?? []),
      columns: columns.filter((column) => column.generated === '').map(({ name, type }) => ({ name, type })),
      persistence: row.persistence === 'u' ? 'unlogged' : 'permanent',
      rowSecurity: row.security,
      shape: digestOf({
        columns,
        constraints: row.constraints ?? [],
        indexes: row.indexes ?? [],
        parents: row.parents ?? [],
        bound: row.bound,
        persistence: row.persistence,
        identity: row.identity,
      }),
    };
  });
}

/**
 * With all identifiers quoted, servers before 17 also quote the type json, later ones don't. (A column that is called so loses its
 * quotes on both sides, too: it is the same column.)
 */
function sameInAllVersions(row: Row): Row {
  const plain = (text: string): string => text.replaceAll('"json"', 'json');
  const column = (one: Column): Column => ({ ...one, type: plain(one.type), default: one.default === null ? null : plain(one.default) });
  const columns = row.columns?.map(column) ?? null;
  return { ...row, columns, constraints: row.constraints?.map(plain) ?? null, indexes: row.indexes?.map(plain) ?? null };
}

/** What identifies a row in replication: a constraint that is DEFERRABLE does not. */
const keyColumns = (which: string): string => `
  (SELECT json_agg(a.attname ORDER BY k.place)
     FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE i.indrelid = c.oid AND i.${which} AND i.indisvalid AND i.indimmediate AND k.place <= i.indnkeyatts)`;

/** Types of the server's own without quotes, but for "char", which is not char. */
const typeName = `
  (SELECT CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace AND t.typname NOT IN ('char', '_char')
               THEN replace(format_type(a.atttypid, a.atttypmod), '"', '') ELSE format_type(a.atttypid, a.atttypmod) END
     FROM pg_type t WHERE t.oid = a.atttypid)`;

/** Since 17 partitions have their root's identity columns, too; before they have none. */
const columns = (version: number): string => `
  (SELECT json_agg(json_build_object(
            'name', a.attname, 'type', ${typeName}, 'notNull', a.attnotnull,
            'default', (SELECT pg_get_expr(f.adbin, f.adrelid) FROM pg_attrdef f WHERE f.adrelid = c.oid AND f.adnum = a.attnum),
            'identity', CASE WHEN c.relispartition THEN '' ELSE a.attidentity END, 'generated', ${version >= 120_000 ? 'a.attgenerated' : `''`},
            'collation', (SELECT l.collname FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid
                           WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation)) ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)`;

/** NOT NULL stands in the columns: 18 has it here too, older ones don't. Foreign keys that came from a parent are the parent's. */
const constraints = (version: number): string => `
  (SELECT json_agg(d.text ORDER BY d.text COLLATE "C") FROM (
     SELECT pg_get_constraintdef(o.oid) AS text FROM pg_constraint o
      WHERE o.conrelid = c.oid AND o.contype IN ('p', 'u', 'f', 'c', 'x')
        ${version >= 110_000 ? `AND (o.contype <> 'f' OR o.conparentid = 0)` : ''}) d)`;

const indexes = `
  (SELECT json_agg(d.text ORDER BY d.text COLLATE "C") FROM (
     SELECT replace(pg_get_indexdef(i.indexrelid), ' INDEX ' || quote_ident(x.relname) || ' ON ', ' INDEX ON ') AS text
       FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
      WHERE i.indrelid = c.oid AND i.indisvalid
        AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))) d)`;

const parents = `
  (SELECT json_agg(quote_ident(pn.nspname) || '.' || quote_ident(p.relname) ORDER BY h.inhseqno)
     FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
    WHERE h.inhrelid = c.oid)`;

function tablesSql(version: number): string {
  const keys = (which: string): string =>
    version >= 110_000 ? keyColumns(which) : keyColumns(which).replace('i.indnkeyatts', 'i.indnatts');
  return `
    SELECT n.nspname AS schema, c.relname AS name, c.relreplident AS identity, c.relpersistence AS persistence,
           ${keys('indisprimary')} AS "primaryKey", ${keys('indisreplident')} AS "identityKey",
           CASE WHEN NOT c.relrowsecurity THEN 'off' WHEN c.relforcerowsecurity THEN 'forced' ELSE 'on' END AS security,
           ${columns(version)} AS columns, ${constraints(version)} AS constraints, ${indexes} AS indexes,
           ${parents} AS parents, pg_get_expr(c.relpartbound, c.oid) AS bound
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND ${userSchema} AND ${ownObject('pg_class', 'c.oid')}
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;
}
