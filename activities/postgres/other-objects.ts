import type { Session } from './session.ts';
import { ownObject, userSchema } from './user-objects.ts';

interface Catalog {
  readonly catalog: string;
  /** An SQL expression over the catalog's row `o`; null passes the row over. */
  readonly kind: string;
  readonly oid?: string;
  /** The column with the schema; absent for what lives in none. */
  readonly schema?: string;
  /** The column with the table that it hangs on, which is then what must be a user's. */
  readonly table?: string;
  readonly only?: string;
}

const functionKind = (version: number): string =>
  version >= 110_000
    ? `CASE o.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END`
    : `CASE WHEN o.proisagg THEN 'aggregate' ELSE 'function' END`;

const catalogs = (version: number): readonly Catalog[] => [
  {
    catalog: 'pg_class',
    kind: `CASE o.relkind WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'f' THEN 'foreign table' END`,
    schema: 'relnamespace',
  },
  { catalog: 'pg_proc', kind: functionKind(version), schema: 'pronamespace' },
  {
    catalog: 'pg_type',
    kind: `CASE WHEN o.typtype = 'd' THEN 'domain' ELSE 'type' END`,
    schema: 'typnamespace',
    only: `(o.typtype IN ('e', 'd', 'r')
            OR o.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = o.oid)
            OR o.typtype = 'c' AND EXISTS (SELECT FROM pg_class r WHERE r.oid = o.typrelid AND r.relkind = 'c'))`,
  },
  {
    catalog: 'pg_trigger',
    kind: `'trigger'`,
    table: 'tgrelid',
    only: `NOT o.tgisinternal${version >= 130_000 ? ' AND o.tgparentid = 0' : ''}`,
  },
  { catalog: 'pg_policy', kind: `'policy'`, table: 'polrelid' },
  { catalog: 'pg_rewrite', kind: `'rule'`, table: 'ev_class', only: `o.rulename <> '_RETURN'` },
  { catalog: 'pg_statistic_ext', kind: `'statistics'`, schema: 'stxnamespace' },
  { catalog: 'pg_collation', kind: `'collation'`, schema: 'collnamespace' },
  { catalog: 'pg_conversion', kind: `'conversion'`, schema: 'connamespace' },
  { catalog: 'pg_operator', kind: `'operator'`, schema: 'oprnamespace' },
  { catalog: 'pg_opclass', kind: `'operator class'`, schema: 'opcnamespace' },
  { catalog: 'pg_opfamily', kind: `'operator family'`, schema: 'opfnamespace' },
  { catalog: 'pg_ts_config', kind: `'text search configuration'`, schema: 'cfgnamespace' },
  { catalog: 'pg_ts_dict', kind: `'text search dictionary'`, schema: 'dictnamespace' },
  { catalog: 'pg_ts_parser', kind: `'text search parser'`, schema: 'prsnamespace' },
  { catalog: 'pg_ts_template', kind: `'text search template'`, schema: 'tmplnamespace' },
  { catalog: 'pg_cast', kind: `'cast'` },
  { catalog: 'pg_language', kind: `'language'` },
  { catalog: 'pg_foreign_data_wrapper', kind: `'foreign data wrapper'` },
  { catalog: 'pg_foreign_server', kind: `'server'` },
  {
    catalog: 'pg_event_trigger',
    kind: `'event trigger'`,
    only: `NOT EXISTS (SELECT FROM pg_proc f JOIN pg_namespace s ON s.oid = f.pronamespace WHERE f.oid = o.evtfoid AND s.nspname = 'steadyhand')`,
  },
];

/** The first oid that `initdb` leaves to users. */
const firstUserOid = 16_384;

/** User objects that have no place of their own in the facts, as `kind identity`, sorted by their bytes. */
export async function otherObjects(session: Session, version: number): Promise<string[]> {
  const rows = await session.query<{ object: string }>(
    `SELECT o.kind || ' ' || i.identity AS object
       FROM (${catalogs(version).map(select).join(' UNION ALL ')}) o
      CROSS JOIN LATERAL pg_identify_object(o.classid, o.objid, 0) i
      WHERE o.kind IS NOT NULL ORDER BY (o.kind || ' ' || i.identity) COLLATE "C"`,
  );
  return rows.map((row) => row.object);
}

function select(one: Catalog): string {
  const member = ownObject(one.catalog, 'o.oid');
  const where = [`o.oid >= ${firstUserOid}`, member, ...(one.only ? [one.only] : [])];
  const from = [`${one.catalog} o`];
  if (one.schema) from.push(`pg_namespace n ON n.oid = o.${one.schema}`);
  if (one.table) from.push(`pg_class t ON t.oid = o.${one.table}`, 'pg_namespace n ON n.oid = t.relnamespace');
  if (one.table) where.push(ownObject('pg_class', 't.oid'));
  if (one.schema ?? one.table) where.push(userSchema);
  return `SELECT '${one.catalog}'::regclass AS classid, o.oid AS objid, ${one.kind} AS kind FROM ${from.join(' JOIN ')} WHERE ${where.join(' AND ')}`;
}
