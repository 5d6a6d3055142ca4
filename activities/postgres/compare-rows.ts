/** A row of one side: its key as text (or its hash, in a table without key), its hash, and who wrote it. */
export interface HashedRow extends Record<string, unknown> {
  readonly key: string;
  readonly hash: string;
  readonly xmin: string;
}

export interface RowDifferences {
  /** Keys of rows that differ, are missing on the target or are there only. */
  readonly keys: string[];
  /** Rows that are passed over because the target went on after the switch. */
  readonly changedSince: number;
}

/** Tells whether a row was there at the switch; undefined when the sessions look at the state of the switch itself. */
export type WrittenSince = (xmin: string) => boolean;

/**
 * Compares the rows of a piece one by one. With `writtenSince`, rows that were written after the switch are passed over, and so
 * are rows that are missing: nobody can tell whether they were deleted since.
 */
export function compareRows(
  source: readonly HashedRow[],
  target: readonly HashedRow[],
  writtenSince: WrittenSince | undefined,
): RowDifferences {
  const left = new Map<string, string[]>();
  for (const row of source) left.set(row.key, [...(left.get(row.key) ?? []), row.hash]);
  const keys: string[] = [];
  let changedSince = 0;
  const differs = (key: string, since: boolean): void => {
    if (since) changedSince += 1;
    else keys.push(key);
  };
  for (const row of target) {
    const hashes = left.get(row.key);
    const hash = hashes?.pop();
    if (hashes?.length === 0) left.delete(row.key);
    if (hash !== row.hash) differs(row.key, writtenSince?.(row.xmin) ?? false);
  }
  for (const [key, hashes] of left) for (const _ of hashes) differs(key, writtenSince !== undefined);
  return { keys, changedSince };
}

/**
 * `snapshot` is pg_snapshot's text, `xmin:xmax:xip,…`, with 64 bits; a row's xmin has 32 of them, so it is the one that is nearest
 * to the snapshot.
 */
export function writtenAfter(snapshot: string): WrittenSince {
  const [, xmax = '0', running = ''] = snapshot.split(':');
  const end = BigInt(xmax);
  const under = new Set(running.split(',').filter((xid) => xid !== ''));
  return (xmin) => {
    const full = nearest(BigInt(xmin), end);
    return full >= end || under.has(full.toString());
  };
}

function nearest(xid: bigint, to: bigint): bigint {
  const epoch = 1n << 32n;
  const half = 1n << 31n;
  // 0, 1 and 2 are not transactions: rows frozen or made with the cluster.
  if (xid < 3n) return xid;
  const same = to - (to % epoch) + xid;
  if (same > to + half && same >= epoch) return same - epoch;
  return same < to - half ? same + epoch : same;
}
