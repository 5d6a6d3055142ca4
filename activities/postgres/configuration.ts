import type { ConfigurationTable } from '../replication/facts.ts';
import type { Session } from './session.ts';

interface Row extends ConfigurationTable, Record<string, unknown> {
  readonly oid: string;
  readonly parents: readonly string[];
}

/**
 * Tables that an extension has marked by `pg_extension_config_dump`: CREATE EXTENSION makes them, and the users' rows in them, those
 * that meet the condition, are for a dump to carry. Tables that others refer to come first.
 */
export async function configurationTables(session: Session): Promise<ConfigurationTable[]> {
  const rows = await session.query<Row>(
    `SELECT n.nspname AS schema, c.relname AS name, e.extname AS extension, coalesce(x.condition, '') AS condition, c.oid::text AS oid,
            (SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND coalesce(to_jsonb(a)->>'attgenerated', '') = '') AS columns,
            (SELECT coalesce(json_agg(DISTINCT o.confrelid::text), '[]') FROM pg_constraint o
              WHERE o.conrelid = c.oid AND o.contype = 'f' AND o.confrelid <> c.oid) AS parents
       FROM pg_extension e CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition) AS x (relation, condition)
       JOIN pg_class c ON c.oid = x.relation JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
  return parentsFirst(rows).map(({ schema, name, extension, condition, columns }) => ({ schema, name, extension, condition, columns }));
}

/** In a circle of foreign keys the order of the names is as good as any. */
function parentsFirst(rows: readonly Row[]): Row[] {
  const waiting = [...rows];
  const done: Row[] = [];
  while (waiting.length > 0) {
    const free = waiting.findIndex((row) => !waiting.some((other) => other !== row && row.parents.includes(other.oid)));
    done.push(...waiting.splice(Math.max(free, 0), 1));
  }
  return done;
}

/** What a side lacks to take the rows of the other side: tables and columns, as `schema.name` or `schema.name.column`. */
export function lackingConfiguration(rowsOf: readonly ConfigurationTable[], there: readonly ConfigurationTable[]): string[] {
  const known = new Map(there.map((one) => [`${one.schema}.${one.name}`, new Set(one.columns)]));
  return rowsOf.flatMap((one) => {
    const name = `${one.schema}.${one.name}`;
    const columns = known.get(name);
    if (columns === undefined) return [name];
    return one.columns.filter((column) => !columns.has(column)).map((column) => `${name}.${column}`);
  });
}
