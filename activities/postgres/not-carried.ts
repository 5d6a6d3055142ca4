import { qualified } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { NotCarried } from '../replication/facts.ts';
import type { Session } from './session.ts';
import { userSchema } from './user-objects.ts';

/** A row of pg_class that could hold data of the users. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
  /** `pg_class.relkind` and `relpersistence`. */
  readonly kind: string;
  readonly persistence: string;
  readonly inUserSchema: boolean;
  readonly extension: string | null;
  /** Marked by the extension with `pg_extension_config_dump`. */
  readonly configuration: boolean;
}

interface Row extends Relation, Record<string, unknown> {
  /** The transaction that wrote the extension's row in pg_extension: rows of that one come with CREATE EXTENSION. */
  readonly born: string | null;
}

/** More rows than that are as good as uncountable, and counting them would load the source. */
const countUpTo = 100_000;

/**
 * Everything of the source that holds rows and that neither the publication nor the copy of the schema nor the switch carries, with
 * how many rows. Every relation of the database is accounted for: `carriedHow` decides by its kind.
 */
export async function notCarried(session: Session): Promise<NotCarried[]> {
  const rows = await relations(session);
  const left: NotCarried[] = [];
  let temporary = 0;
  for (const row of rows) {
    const because = whyNotCarried(row);
    if (because === 'temporary') temporary += 1;
    if (because === null || because === 'temporary') continue;
    const count = row.kind === 'S' ? null : await countRows(session, row);
    if (count !== 0 || row.extension === null) left.push({ name: `${row.schema}.${row.name}`, kind: kindOf(row), rows: count, because });
  }
  if (temporary > 0)
    left.push({
      name: `${temporary} temporary tables and sequences`,
      kind: 'temporary',
      rows: null,
      because: 'they end with their sessions',
    });
  const objects = await largeObjects(session);
  if (objects > 0) left.push({ name: 'large objects', kind: 'large object', rows: objects, because: 'replication does not carry them' });
  return left;
}

async function relations(session: Session): Promise<Row[]> {
  return await session.query<Row>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence, ${userSchema} AS "inUserSchema",
            e.extname AS extension, coalesce(c.oid = ANY (e.extconfig), false) AS configuration, e.xmin::text AS born
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
         AND d.refclassid = 'pg_extension'::regclass
       LEFT JOIN pg_extension e ON e.oid = d.refobjid
      WHERE c.oid >= ${firstUserOid} AND c.relkind NOT IN ('i', 'I', 't', 'c') AND n.nspname NOT IN ('steadyhand', 'pg_toast')
      ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
}

/** How many rows are in tables that extensions have not marked as configuration, whoever wrote them; without those that could not be counted. */
async function extensionRows(session: Session): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const row of await relations(session)) {
    if (row.kind !== 'r' || row.extension === null || row.configuration) continue;
    const count = await countRows(session, { ...row, born: null });
    if (count !== null) counts.set(`${row.schema}.${row.name}`, count);
  }
  return counts;
}

/**
 * Tables of extensions with more rows on the source than CREATE EXTENSION has made on the target. It finds what `notCarried` cannot
 * tell apart: rows that were written in the transaction of CREATE EXTENSION, and not by it.
 */
export async function fewerExtensionRows(source: Session, target: Session, leave: readonly string[]): Promise<string[]> {
  const there = await extensionRows(target);
  return [...(await extensionRows(source))]
    .filter(([name, rows]) => rows > (there.get(name) ?? 0) && !leave.includes(name))
    .map(([name, rows]) => `${name} (${there.get(name) ?? 0} of ${rows} rows)`);
}

/** The first oid that `initdb` leaves to users. */
const firstUserOid = 16_384;

/** Null: it holds no rows of its own, or it is published, copied, refreshed or carried in the switch. */
export function whyNotCarried({ kind, persistence, inUserSchema, extension, configuration }: Relation): string | null {
  // Views, partitioned tables and foreign tables hold no rows here; the schema carries them.
  if (['v', 'p', 'f'].includes(kind)) return null;
  if (persistence === 't') return 'temporary';
  if (extension === null && !inUserSchema) return 'it is in a schema of the server’s own, which neither a dump nor a publication takes';
  if (kind === 'S') return null;
  if (kind === 'm') return extension === null ? null : `a materialised view of the extension ${extension}: REFRESH it on the target`;
  if (extension !== null)
    return configuration ? null : `a table of the extension ${extension}, which has not marked it as configuration to be dumped`;
  return persistence === 'u' ? 'it is unlogged, so it is in no WAL' : null;
}

const kindOf = ({ kind, persistence }: Relation): NotCarried['kind'] => {
  if (kind === 'm') return 'materialized view';
  if (kind === 'S') return 'sequence';
  return persistence === 'u' ? 'unlogged table' : 'table';
};

const queryCanceled = '57014';

/** Of an extension only what came after CREATE EXTENSION. Null: this role may not read it, or it took too long. */
async function countRows(session: Session, row: Row): Promise<number | null> {
  const written = row.born === null || row.kind === 'm' ? '' : `WHERE t.xmin::text <> '${row.born}'`;
  try {
    const [counted] = await session.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM (SELECT FROM ONLY ${qualified(row)} t ${written} LIMIT ${countUpTo}) AS counted`,
    );
    return counted?.rows ?? null;
  } catch (error) {
    const slow = error instanceof Failure && error.facts['sqlstate'] === queryCanceled;
    if (!slow && !(error instanceof Failure && error.code === 'privilege-missing')) throw error;
    return null;
  }
}

async function largeObjects(session: Session): Promise<number> {
  const [row] = await session.query<{ count: number }>('SELECT count(*)::int AS count FROM pg_largeobject_metadata');
  return row?.count ?? 0;
}

/** `kept.history (3 rows)`, as a plan and a finding name it. */
export function notCarriedText({ name, rows, kind }: NotCarried): string {
  if (kind === 'temporary' || kind === 'sequence') return name;
  if (rows === null) return `${name} (nobody could count its rows)`;
  return `${name} (${rows >= countUpTo ? `${countUpTo} or more` : rows} ${kind === 'large object' ? 'of them' : rows === 1 ? 'row' : 'rows'})`;
}
