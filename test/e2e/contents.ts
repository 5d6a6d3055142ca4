import type pg from 'pg';
import { quoteIdentifier } from '../../domain/command.ts';

/** Every table's rows and every sequence's state, by the server's own text; not by the product's comparison. */
export async function contentsOf(client: pg.Client, kinds: readonly ('r' | 'S')[] = ['r', 'S']): Promise<Record<string, unknown>> {
  const { rows } = await client.query<{ schema: string; name: string; kind: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = ANY ($1) AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steadyhand')
      ORDER BY 1, 2`,
    [kinds],
  );
  const contents: Record<string, unknown> = {};
  for (const { schema, name, kind } of rows) {
    const of = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
    // Without log_cnt, which is how far the WAL is ahead.
    const look =
      kind === 'S'
        ? `SELECT last_value || ' ' || is_called AS all FROM ${of}`
        : `SELECT count(*) || ' ' || md5(string_agg(t::text, '|' ORDER BY t::text COLLATE "C")) AS all FROM ONLY ${of} t`;
    contents[of] = (await client.query<{ all: string }>(look)).rows[0]?.all;
  }
  return contents;
}
