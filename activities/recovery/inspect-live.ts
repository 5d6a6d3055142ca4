import type { Session } from '../postgres/session.ts';
import type { KeyColumn, Reference, TableInUse } from './facts.ts';

/** The table of this name as the database in use has it. */
export interface LiveTable {
  readonly kind: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly generated: string; readonly required: boolean }[];
  readonly key: readonly KeyColumn[];
  readonly references: readonly Reference[];
  readonly referencedBy: readonly Reference[];
  readonly triggers: TableInUse['triggers'];
  /** Keys and exclusions that may be checked at the end of a transaction. */
  readonly deferrable: readonly string[];
  /** For INSERT, unless switched off, or for UPDATE. */
  readonly rules: boolean;
}

const operator = (of: string): string =>
  `(SELECT 'OPERATOR(' || quote_ident(on_.nspname) || '.' || op.oprname || ')' FROM pg_operator op JOIN pg_namespace on_ ON on_.oid = op.oprnamespace WHERE op.oid = ${of})`;

const key = `
  (SELECT json_agg(json_build_object('name', a.attname, 'equals', ${operator(
    `(SELECT m.amopopr FROM pg_opclass oc JOIN pg_amop m ON m.amopfamily = oc.opcfamily AND m.amopstrategy = 3
        AND m.amoplefttype = oc.opcintype AND m.amoprighttype = oc.opcintype WHERE oc.oid = i.indclass[k.place - 1])`,
  )}) ORDER BY k.place)
     FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts)`;

const names = (relation: string, numbers: string): string => `
  (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(${numbers}) WITH ORDINALITY AS k(number, place)
     JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.number)`;

const references = (mine: string, other: string, where = 'true'): string => `
  coalesce((SELECT json_agg(json_build_object('name', o.conname, 'columns', ${names('o.conrelid', 'o.conkey')}, 'schema', fn.nspname, 'table', f.relname,
            'to', ${names('o.confrelid', 'o.confkey')}, 'deferrable', o.condeferrable,
            'equals', (SELECT json_agg(${operator('e.op')} ORDER BY e.place) FROM unnest(o.conpfeqop) WITH ORDINALITY AS e(op, place)))
              ORDER BY fn.nspname, f.relname, o.conname)
     FROM pg_constraint o JOIN pg_class f ON f.oid = o.${other} JOIN pg_namespace fn ON fn.oid = f.relnamespace
    WHERE o.${mine} = c.oid AND o.contype = 'f' AND ${where}), '[]'::json)`;

/** The server has another one for each partition of the table that is referred to: no row has to be in each of them. */
const whole = 'NOT EXISTS (SELECT FROM pg_constraint w WHERE w.oid = o.conparentid AND w.conrelid = o.conrelid)';

/** undefined when it is not there. The session's search_path must be pg_catalog. */
export async function liveTable(session: Session, table: { schema: string; name: string }): Promise<LiveTable | undefined> {
  const [row] = await session.query<LiveTable & Record<string, unknown>>(
    `SELECT c.relkind AS kind,
            (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'generated', a.attgenerated,
                      'required', a.attnotnull AND NOT a.atthasdef AND a.attidentity = '') ORDER BY a.attnum)
               FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
            coalesce(${key}, '[]'::json) AS key, ${references('conrelid', 'confrelid', whole)} AS references,
            ${references('confrelid', 'conrelid')} AS "referencedBy",
            coalesce((SELECT json_agg(json_build_object('name', t.tgname, 'enabled', t.tgenabled) ORDER BY t.tgname)
                        FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')), '[]'::json) AS triggers,
            coalesce((SELECT json_agg(i.relname ORDER BY i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                       WHERE x.indrelid = c.oid AND NOT x.indimmediate), '[]'::json) AS deferrable,
            EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND (r.ev_type = '2' OR (r.ev_type = '3' AND r.ev_enabled <> 'D'))) AS rules
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [table.schema, table.name],
  );
  return row;
}

/** Which of these are not there. */
export async function missing(
  session: Session,
  what: 'schema' | 'type',
  wanted: readonly { schema: string; name: string }[],
): Promise<Set<string>> {
  const there = what === 'schema' ? 'SELECT FROM pg_namespace n WHERE n.nspname = w.name' : typeThere;
  const rows = await session.query<{ schema: string; name: string }>(
    `SELECT w.schema, w.name FROM unnest($1::text[], $2::text[]) AS w(schema, name) WHERE NOT EXISTS (${there})`,
    [wanted.map((one) => one.schema), wanted.map((one) => one.name)],
  );
  return new Set(rows.map((one) => `${one.schema}\0${one.name}`));
}

const typeThere = `SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = w.schema AND t.typname = w.name`;
