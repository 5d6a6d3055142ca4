import type { TableFacts } from '../replication/facts.ts';
import { compareRows, type HashedRow, type WrittenSince } from './compare-rows.ts';
import type { Pair } from './compare-sessions.ts';
import { tableText, type Cut, type Piece, type TableText } from './compare-text.ts';
import type { Session } from './session.ts';

export interface TableResult {
  readonly table: string;
  /** Rows of the source. */
  readonly rows: number;
  /** Rows that differ; 0 when the table is the same. Counting stops at some hundred. */
  readonly differing: number;
  readonly firstKeys: string[];
  readonly changedSince: number;
}

export interface TableComparison {
  readonly table: TableFacts;
  /** The server's estimate, to choose the size of the pieces. */
  readonly estimatedRows: number;
  readonly sameEncoding: boolean;
  readonly rowsPerPiece: number;
  readonly writtenSince: WrittenSince | undefined;
  /** After each piece: rows of the source so far. Throws to stop. */
  compared(rows: number): void;
}

interface Digest extends Record<string, unknown> {
  readonly bucket: string;
  readonly rows: string;
  readonly one: string;
  readonly two: string;
}

const enoughDifferences = 500;
const keysShown = 5;

/** Compares one table, piece by piece; only pieces that differ are compared row by row. */
export async function compareTable(pair: Pair, comparison: TableComparison): Promise<TableResult> {
  const { table, sameEncoding } = comparison;
  const cut = await cutOf(pair.source, comparison);
  const text = tableText(table, cut, sameEncoding);
  const keys: string[] = [];
  let rows = 0;
  let changedSince = 0;
  for await (const piece of pieces(pair.source, comparison, cut, text)) {
    const [source, target] = await Promise.all([digests(pair.source, text, piece), digests(pair.target, text, piece)]);
    for (const digest of source.values()) rows += Number(digest.rows);
    for (const bucket of differing(source, target)) {
      if (keys.length >= enoughDifferences) break;
      const found = await rowByRow(pair, text, { piece, bucket }, comparison.writtenSince);
      keys.push(...found.keys);
      changedSince += found.changedSince;
    }
    comparison.compared(rows);
    if (keys.length >= enoughDifferences) break;
  }
  return { table: `${table.schema}.${table.name}`, rows, differing: keys.length, firstKeys: keys.slice(0, keysShown), changedSince };
}

/** Where the table is cut follows the source: it stands still. */
async function* pieces(source: Session, { rowsPerPiece }: TableComparison, cut: Cut, text: TableText): AsyncGenerator<Piece> {
  if (cut.by === 'hash') {
    yield text.range(undefined, undefined);
    return;
  }
  let after: string | undefined;
  for (;;) {
    const [row] = await source.query<Record<string, string>>(text.boundary(after, rowsPerPiece));
    if (!row) break;
    const upTo = text.literal(cut.types.map((_, index) => row[`k${index}`] ?? ''));
    yield text.range(after, upTo);
    after = upTo;
  }
  yield text.range(after, undefined);
}

async function digests(session: Session, text: TableText, piece: Piece): Promise<Map<string, Digest>> {
  const rows = await session.query<Digest>(text.digests(piece));
  return new Map(rows.map((row) => [row.bucket, row]));
}

function differing(source: ReadonlyMap<string, Digest>, target: ReadonlyMap<string, Digest>): string[] {
  const buckets = new Set([...source.keys(), ...target.keys()]);
  return [...buckets].filter((bucket) => {
    const one = source.get(bucket);
    const other = target.get(bucket);
    return one?.rows !== other?.rows || one?.one !== other?.one || one?.two !== other?.two;
  });
}

async function rowByRow(
  pair: Pair,
  text: TableText,
  { piece, bucket }: { piece: Piece; bucket: string },
  writtenSince: WrittenSince | undefined,
) {
  const [source, target] = await Promise.all([
    pair.source.query<HashedRow>(text.rows(piece, bucket)),
    pair.target.query<HashedRow>(text.rows(piece, bucket)),
  ]);
  return compareRows(source, target, writtenSince);
}

/**
 * Ranges only for keys of built-in types without a collation: their order is the same on every server, and the key's index has
 * it. Text sorts by the server's own rules, and under `COLLATE "C"` no index would help.
 */
async function cutOf(source: Session, { table, estimatedRows, rowsPerPiece }: TableComparison): Promise<Cut> {
  const digits = Math.min(4, Math.max(1, Math.ceil(Math.log(Math.max(1, estimatedRows / rowsPerPiece)) / Math.log(16))));
  if (table.key.length === 0) return { by: 'hash', digits };
  const columns = await source.query<{ name: string; type: string; ordered: boolean }>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
            t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' AND t.typcategory IN ('N', 'D', 'T', 'U', 'B', 'I', 'V')
              AND a.attcollation = 0 AND t.typname NOT IN ('float4', 'float8', 'money') AS ordered
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_type t ON t.oid = a.atttypid
      WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = ANY ($3::text[])`,
    [table.schema, table.name, table.key],
  );
  const ofKey = table.key.map((name) => columns.find((column) => column.name === name));
  return ofKey.every((column) => column?.ordered === true)
    ? { by: 'range', types: ofKey.map((column) => column?.type ?? '') }
    : { by: 'hash', digits };
}
