import type pg from 'pg';
import type { Beat } from '../heart.ts';

/** After a restore the same ids are given once more, so a row is told by its moment as well. */
const keyOf = ({ table, id, at }: Beat): string => `${table} ${id} ${at.getTime()}`;

/** All rows of the heartbeats' tables, oldest first. A table that is gone has none. */
export async function beatsOn(client: pg.Client): Promise<Beat[]> {
  const { rows } = await client.query<{ table: string }>(
    `SELECT relname AS table FROM pg_class WHERE relname IN ('beats', 'parcels') AND relkind = 'r' AND pg_table_is_visible(oid)`,
  );
  const beats: Beat[] = [];
  for (const { table } of rows) {
    const found = await client.query<{ id: string; at: Date }>(`SELECT id::text, at FROM ${table}`);
    beats.push(...found.rows.map(({ id, at }) => ({ table, id: Number(id), at })));
  }
  return beats.toSorted((one, other) => one.at.getTime() - other.at.getTime());
}

export interface SwitchedBeats {
  /** Acknowledged after the moment and before the copy served, in tables that were there then: not on the copy, as was said. */
  readonly lost: readonly Beat[];
  /** Of these, not on the old one. */
  readonly notKept: number;
  /** Acknowledged up to the moment, or since the copy serves, and not on it. */
  readonly missing: number;
  /** On the copy though of between the moment and its service, or never acknowledged by it. */
  readonly tooLate: number;
  /** On the old one since the moment without an answer: the connection broke before it came. */
  readonly inDoubt: number;
}

/** Holds what clients were told against what is on both. `served`: when clients could write again. */
export function judgeSwitch(
  acknowledged: readonly Beat[],
  on: { readonly copy: readonly Beat[]; readonly old: readonly Beat[] },
  { target, served }: { readonly target: Date; readonly served: Date },
): SwitchedBeats {
  const keys = (beats: readonly Beat[]): ReadonlySet<string> => new Set(beats.map(keyOf));
  const [copy, old, told] = [keys(on.copy), keys(on.old), keys(acknowledged)];
  // A table that was dropped has taken its rows along before anybody switched.
  const tables = new Set(on.old.map(({ table }) => table));
  const between = ({ at }: Beat): boolean => at > target && at < served;
  const lost = acknowledged.filter((one) => between(one) && tables.has(one.table));
  return {
    lost,
    notKept: lost.filter((one) => !old.has(keyOf(one))).length,
    missing: acknowledged.filter((one) => !between(one) && !copy.has(keyOf(one))).length,
    tooLate: on.copy.filter(between).length,
    inDoubt: on.old.filter((one) => one.at > target && !told.has(keyOf(one))).length,
  };
}
