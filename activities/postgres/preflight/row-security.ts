import type { Session } from '../session.ts';
import { userSchema } from '../user-objects.ts';
import { blocks, listed, type Check, type Found, type View } from './view.ts';

interface Secured extends Record<string, unknown> {
  readonly name: string;
  readonly owner: string;
  /** Also on its owner. */
  readonly forced: boolean;
}

/**
 * A login that a policy holds back is told of no error: the copy would have fewer rows. And a target of 16 or newer applies changes as
 * each table's owner, where PostgreSQL refuses to write past a policy: it helps nobody there that the subscription's owner might.
 */
export const rowSecurity: Check = {
  name: 'row-level security',
  look: async (view) => {
    const { source, target, migration, facts } = view;
    const tables = await securedTables(view);
    if (tables.length === 0) return [];
    return [
      ...heldBack(migration.source, await heldBackOn(source, tables, facts.binding.source.logins)),
      ...heldBack(migration.target, await heldBackOn(target, tables, facts.binding.target.logins)),
      ...(await cannotApply(view, tables)),
    ];
  },
};

/** As they are on the source, and with `already-there` as they are on the target, too. */
async function securedTables({ source, target, migration }: View): Promise<Secured[]> {
  const sql = `SELECT n.nspname || '.' || c.relname AS name, pg_get_userbyid(c.relowner) AS owner, c.relforcerowsecurity AS forced
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.relrowsecurity AND ${userSchema} ORDER BY 1`;
  const there = migration.schema === 'copy' ? [] : await target.query<Secured>(sql);
  return [...(await source.query<Secured>(sql)), ...there];
}

/** These logins with the tables whose policies count for them. */
async function heldBackOn(session: Session, tables: readonly Secured[], logins: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await session.query<{ login: string; tables: string[] }>(
    `SELECT l.rolname AS login, array_agg(DISTINCT t.name ORDER BY t.name) AS tables
       FROM unnest($1::text[], $2::text[], $3::bool[]) AS t (name, owner, forced)
       JOIN pg_roles l ON l.rolname = ANY ($4::text[]) AND NOT (l.rolsuper OR l.rolbypassrls) LEFT JOIN pg_roles o ON o.rolname = t.owner
      WHERE t.forced OR o.oid IS NULL OR NOT pg_has_role(l.oid, o.oid, 'USAGE') GROUP BY 1 ORDER BY 1`,
    [...columns(tables), logins],
  );
  return new Map(rows.map((row) => [row.login, row.tables]));
}

const columns = (tables: readonly Secured[]): unknown[] => [
  tables.map((one) => one.name),
  tables.map((one) => one.owner),
  tables.map((one) => one.forced),
];

function heldBack(side: string, logins: ReadonlyMap<string, string[]>): Found[] {
  return [...logins].map(([login, tables]) =>
    blocks(
      `row-level security holds "${login}" on ${side} back from rows of ${listed(tables, 'tables')}: these would be missing in what is copied and compared`,
      `ALTER ROLE … BYPASSRLS for it on ${side}; only a superuser, or one who has the attribute, may.`,
    ),
  );
}

async function cannotApply({ target, migration, facts }: View, tables: readonly Secured[]): Promise<Found[]> {
  if (facts.binding.target.version < 160_000) return [];
  const rows = await target.query<{ name: string }>(
    `SELECT DISTINCT t.name || ' (' || t.owner || ')' AS name FROM unnest($1::text[], $2::text[], $3::bool[]) AS t (name, owner, forced)
       JOIN pg_roles o ON o.rolname = t.owner WHERE t.forced AND NOT (o.rolsuper OR o.rolbypassrls) ORDER BY 1`,
    columns(tables),
  );
  if (rows.length === 0) return [];
  const names = listed(
    rows.map((row) => row.name),
    'tables',
  );
  return [
    blocks(
      `${names} force row-level security on their owner, as whom ${migration.target} applies changes: it would stop at the first one`,
      `ALTER ROLE … BYPASSRLS for the owner on ${migration.target} until the run has ended, or ALTER TABLE … NO FORCE ROW LEVEL SECURITY on both sides.`,
    ),
  ];
}
