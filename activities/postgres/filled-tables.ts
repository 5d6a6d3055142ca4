import { qualified, quoteLiteral } from '../../domain/command.ts';
import type { Session } from './session.ts';

const tablesAtATime = 200;

/** Which of these tables hold a row; one that does not exist holds none. Looks at one row of each, no more. */
export async function filledTables<Table extends { schema: string; name: string }>(
  session: Session,
  tables: readonly Table[],
): Promise<Table[]> {
  const there = await existing(session, tables);
  const filled: Table[] = [];
  for (let start = 0; start < there.length; start += tablesAtATime) {
    const some = there.slice(start, start + tablesAtATime);
    const looks = some.map((one) => `SELECT ${quoteLiteral(qualified(one))} AS name WHERE EXISTS (SELECT FROM ONLY ${qualified(one)})`);
    const rows = await session.query<{ name: string }>(looks.join(' UNION ALL '));
    const names = new Set(rows.map((row) => row.name));
    filled.push(...some.filter((one) => names.has(qualified(one))));
  }
  return filled;
}

/** Which of these are tables now. */
export async function existing<Table extends { schema: string; name: string }>(
  session: Session,
  tables: readonly Table[],
): Promise<Table[]> {
  const rows = await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND (n.nspname, c.relname) IN (SELECT * FROM unnest($1::name[], $2::name[]))`,
    [tables.map((one) => one.schema), tables.map((one) => one.name)],
  );
  const names = new Set(rows.map(qualified));
  return tables.filter((one) => names.has(qualified(one)));
}
