import { qualified } from '../../domain/command.ts';
import type { Session } from '../postgres/session.ts';
import type { SequenceBehind } from './facts.ts';
import { sequenceValue, type RestoredTable } from './inspect-restored.ts';

interface Owned {
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly table: string;
  readonly column: string;
  readonly increment: string;
  readonly cache: string;
}

const owned = (where: string): string => `
  SELECT sn.nspname AS schema, s.relname AS name, n.nspname AS owner, c.relname AS "table", a.attname AS "column",
         q.seqincrement::text AS increment, q.seqcache::text AS cache
    FROM pg_depend p JOIN pg_class s ON s.oid = p.objid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
    JOIN pg_sequence q ON q.seqrelid = s.oid JOIN pg_class c ON c.oid = p.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid
   WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.deptype IN ('a', 'i') AND ${where}
   ORDER BY sn.nspname COLLATE "C", s.relname COLLATE "C"`;

/** Those of the tables, and of the tables that they are partitions of or inherit from: rows take their numbers from there, too. */
const above = `c.oid IN (WITH RECURSIVE up (oid) AS (
  SELECT unnest($1::int8[]::oid[]) UNION SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.oid) SELECT oid FROM up)`;

const ofColumns = `EXISTS (SELECT FROM unnest($1::text[], $2::text[], $3::text[]) AS w (owner, "table", "column")
  WHERE w.owner = n.nspname AND w."table" = c.relname AND w."column" = a.attname)`;

const columnOf = (one: Owned): string => [one.owner, one.table, one.column].join('\0');

/** The sequences in use of columns that have numbers on the restored copy. Both sessions' search_path must be pg_catalog. */
export async function sequencesBehind(restored: Session, live: Session, tables: readonly RestoredTable[]): Promise<SequenceBehind[]> {
  const there = await restored.query<Owned & Record<string, unknown>>(owned(above), [tables.map((one) => one.oid)]);
  const here = await live.query<Owned & Record<string, unknown>>(owned(ofColumns), [
    there.map((one) => one.owner),
    there.map((one) => one.table),
    there.map((one) => one.column),
  ]);
  const behind = [];
  for (const { schema, name, cache, ...column } of here) {
    const then = there.find((one) => columnOf(one) === columnOf({ schema, name, cache, ...column }));
    const come = then && (await sequenceValue(restored, qualified(then)));
    if (then && come?.called) behind.push({ schema, name, cache, value: come.value, increment: then.increment });
  }
  return behind;
}
