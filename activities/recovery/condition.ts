import { qualified, quoteLiteral, type Command } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { Session } from '../postgres/session.ts';
import type { CopyFacts, Reading } from './facts.ts';
import type { RestoredTable } from './inspect-restored.ts';

const restored = (text: string): Command => ({ on: 'restored', kind: 'sql', text });

/**
 * Read before a condition of people's, so that it means what it means in a session of theirs. The settings end with the
 * transaction, whatever the condition calls. Under them every name of our own has to be qualified.
 */
export function readingAs({ reading }: Pick<CopyFacts, 'reading'>): Command[] {
  if (!reading) return [];
  const settings = { search_path: reading.searchPath, TimeZone: reading.timeZone, DateStyle: reading.dateStyle };
  const set = Object.entries(settings).map(([name, value]) => `pg_catalog.set_config('${name}', ${quoteLiteral(value)}, true)`);
  return [restored('BEGIN READ ONLY'), restored(`SELECT ${set.join(', ')}`)];
}

async function readAs(session: Session, facts: Pick<CopyFacts, 'reading'>): Promise<void> {
  for (const { text } of readingAs(facts)) await session.query(text);
}

/**
 * The settings of a session of this database by which a condition is read: what ALTER DATABASE … SET says, else the session's own
 * defaults. Days are written year first all the same, in what order they are read is the database's.
 */
export async function readingOf(session: Session): Promise<Reading> {
  const rows = await session.query<{ name: string; value: string }>(
    `SELECT lower(s.name) AS name, coalesce((SELECT substr(c, strpos(c, '=') + 1) FROM pg_db_role_setting r, unnest(r.setconfig) c
              WHERE r.setrole = 0 AND r.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND lower(split_part(c, '=', 1)) = lower(s.name)), s.reset_val) AS value
       FROM pg_settings s WHERE lower(s.name) IN ('search_path', 'timezone', 'datestyle')`,
  );
  const values = new Map(rows.map((row) => [row.name, row.value]));
  const order = /\b(?:DMY|MDY|YMD)\b/i.exec(values.get('datestyle') ?? '')?.[0].toUpperCase() ?? 'MDY';
  return { searchPath: values.get('search_path') ?? '', timeZone: values.get('timezone') ?? 'UTC', dateStyle: `ISO, ${order}` };
}

/** A chosen table with a condition, and how many rows fit; null when there was no time to count them. */
export interface Fitting {
  readonly table: string;
  readonly rows: number | null;
}

const budgetMs = 20_000;
/** What says nothing of the condition: the server's resources, somebody who stops it, its disks, its own mistakes. */
const notItsFault = new Set(['53', '57', '58', 'XX']);

/**
 * Tries each condition where it will be read, in every partition, and counts what fits as long as there is time; after that the
 * server only plans the statement. Raises `input-invalid` with the table's name for a condition that can't be read, and
 * `plan-impossible` for a table whose rows it would write in another way.
 */
export async function tryConditions(
  session: Session,
  facts: Pick<CopyFacts, 'reading'>,
  tables: readonly RestoredTable[],
  withinMs = budgetMs,
): Promise<Fitting[]> {
  const until = Date.now() + withinMs;
  const fitting = new Map<string, number | null>();
  for (const table of tables) {
    if (table.where === null || table.definition.kind === 'partitioned') continue;
    requireAlike(table);
    const [before, left] = [fitting.get(table.root), until - Date.now()];
    const rows = await tried(session, facts, { table, where: table.where, ms: before === null ? 0 : left });
    fitting.set(table.root, rows === null || before === null ? null : (before ?? 0) + rows);
  }
  return [...fitting].map(([table, rows]) => ({ table, rows }));
}

async function tried(
  session: Session,
  facts: Pick<CopyFacts, 'reading'>,
  { table, where, ms }: { table: RestoredTable; where: string; ms: number },
): Promise<number | null> {
  const count = `SELECT pg_catalog.count(*)::pg_catalog.text AS rows FROM ONLY ${qualified(table)} WHERE (${where})`;
  try {
    await readAs(session, facts);
    if (ms < 1) {
      await session.query(`EXPLAIN ${count}`);
      return null;
    }
    await session.query(`SET LOCAL statement_timeout = ${Math.ceil(ms)}`);
    const [row] = await session.query<{ rows: string }>(count);
    return Number(row?.rows ?? 0);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'statement-timeout') return null;
    const state = error.facts['sqlstate'];
    if (error.code !== 'server-error' || typeof state !== 'string' || notItsFault.has(state.slice(0, 2))) throw error;
    const name = qualified(table);
    const message = `the condition for ${name} can't be read on the restored copy: ${error.message}`;
    throw new Failure('input-invalid', message, { table: name, sqlstate: state }, error);
  } finally {
    await session.query('ROLLBACK').catch(() => undefined);
  }
}

/** Names of objects come out qualified or not, as the search_path has it, and the other server reads them by another one. */
function requireAlike(table: RestoredTable): void {
  const names = table.columns.filter((one) =>
    /^"?reg(?:class|collation|config|dictionary|oper|operator|proc|procedure|type)\b/.test(one.type),
  );
  if (names.length === 0) return;
  const columns = names.map((one) => `"${one.name}" (${one.type.replaceAll('"', '')})`).join(', ');
  throw new Failure(
    'plan-impossible',
    `${qualified(table)} has names of objects in ${columns}, which can't be copied by a condition: leave the condition out`,
  );
}
