import type { Session } from '../postgres/session.ts';
import { sideComment } from './aside-commands.ts';

/** What the run's journal on the database in use tells. */
export interface Journal {
  readonly state: 'absent' | 'ours' | 'foreign';
  /** The tables that are whole aside, by their place in the facts. */
  readonly copied: ReadonlyMap<number, { readonly rows: number; readonly bytes: number }>;
  readonly broughtBack: boolean;
  readonly takenOut: boolean;
}

export async function readJournal(session: Session, tag: string): Promise<Journal> {
  const schema = `${tag}_journal`;
  const [row] = await session.query<{ ours: boolean; tables: string[] }>(
    `SELECT coalesce(obj_description(n.oid, 'pg_namespace'), '') = $2 AS ours,
            ARRAY(SELECT relname::text FROM pg_class WHERE relnamespace = n.oid AND relkind = 'r') AS tables
       FROM pg_namespace n WHERE n.nspname = $1`,
    [schema, sideComment],
  );
  if (!row) return { state: 'absent', copied: new Map(), broughtBack: false, takenOut: false };
  if (!row.ours) return { state: 'foreign', copied: new Map(), broughtBack: false, takenOut: false };
  const lines = row.tables.includes('copied')
    ? await session.query<{ place: number; rows: string; bytes: string }>(
        `SELECT place, rows::text, bytes::text FROM "${schema}".copied ORDER BY place`,
      )
    : [];
  return {
    state: 'ours',
    copied: new Map(lines.map((one) => [one.place, { rows: Number(one.rows), bytes: Number(one.bytes) }])),
    broughtBack: row.tables.includes('brought_back'),
    takenOut: row.tables.includes('taken_out'),
  };
}
