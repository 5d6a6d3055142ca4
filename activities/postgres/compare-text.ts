import { qualified, quoteIdentifier, quoteLiteral } from '../../domain/command.ts';
import type { TableFacts } from '../replication/facts.ts';

/** How a table is cut into pieces that are compared as a whole first. */
export type Cut =
  /** By ranges of its key, in an order that both servers share and an index has. */
  | { readonly by: 'range'; readonly types: readonly string[] }
  /** By the first hex digits of a hash of its key, or of the whole row without one. One scan for all of them. */
  | { readonly by: 'hash'; readonly digits: number };

/** What is compared at once: a piece of the table, as a condition that is the same on both sides. */
export interface Piece {
  readonly where: string;
}

/**
 * The texts are the same on both sides: columns by name in the source's order, so neither attribute numbers nor generated columns
 * count. A row is md5 of its composite text: NULL and '' differ in it, and separators are quoted.
 */
export interface TableText {
  /** `bucket, rows, one, two`: count, and the sums of both halves of the rows' hashes, in no order. */
  digests(piece: Piece): string;
  /** `key, hash, xmin` of every row of the piece, or of one bucket of it. */
  rows(piece: Piece, bucket: string): string;
  /** The key's columns as text `k0, k1, …` of the last row of the next piece; no row when the rest is less. */
  boundary(after: string | undefined, size: number): string;
  /** The condition for keys after `after`, up to and with `upTo`. */
  range(after: string | undefined, upTo: string | undefined): Piece;
  /** A key of `boundary` as it stands in a condition. */
  literal(key: readonly string[]): string;
}

export function tableText(table: TableFacts, cut: Cut, sameEncoding: boolean): TableText {
  const from = `FROM ONLY ${qualified(table)}`;
  const bytes = (text: string): string => (sameEncoding ? text : `convert_to(${text}, 'UTF8')`);
  const row = (columns: readonly string[]): string => `ROW(${columns.map(quoteIdentifier).join(', ')})::text`;
  const hash = `md5(${bytes(row(table.columns.map((column) => column.name)))})`;
  const key = table.key.length > 0 ? row(table.key) : null;
  const bucketed = key === null ? 'h' : `md5(${bytes('k')})`;
  const bucket = cut.by === 'hash' ? `left(${bucketed}, ${cut.digits})` : "''";
  // OFFSET 0: else the hash would be made once for each place where it is used.
  const hashed = (piece: Piece): string =>
    `(SELECT ${key ?? "''"} AS k, ${hash} AS h, xmin ${from} WHERE ${piece.where} OFFSET 0) AS hashed`;
  const half = (side: 'left' | 'right'): string => `sum(('x' || ${side}(h, 16))::bit(64)::bigint)::text`;
  const keys = table.key.map(quoteIdentifier).join(', ');
  const after = (literal: string | undefined): string[] => (literal === undefined ? [] : [`(${keys}) > ${literal}`]);
  return {
    digests: (piece) => `SELECT ${bucket} AS bucket, count(*)::int8::text AS rows, ${half('left')} AS one, ${half('right')} AS two
      FROM ${hashed(piece)} GROUP BY 1`,
    rows: (piece, of) => `SELECT ${key === null ? 'h' : 'k'} AS key, h AS hash, xmin::text AS xmin FROM ${hashed(piece)}
      WHERE ${bucket} = ${quoteLiteral(of)}`,
    boundary: (literal, size) => {
      const columns = table.key.map((name, index) => `${quoteIdentifier(name)}::text AS k${index}`).join(', ');
      return `SELECT ${columns} ${from} WHERE ${['true', ...after(literal)].join(' AND ')} ORDER BY ${keys} OFFSET ${size - 1} LIMIT 1`;
    },
    range: (literal, upTo) => ({
      where: ['true', ...after(literal), ...(upTo === undefined ? [] : [`(${keys}) <= ${upTo}`])].join(' AND '),
    }),
    literal: (values) => {
      const types = cut.by === 'range' ? cut.types : [];
      return `(${values.map((value, index) => `${quoteLiteral(value)}::${types[index]}`).join(', ')})`;
    },
  };
}
