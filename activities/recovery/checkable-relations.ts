import type { Command } from '../../domain/command.ts';
import type { Session } from '../postgres/session.ts';
import { checkBtree, checkGin, checkTable } from './verify-commands.ts';

export type Check = Command;

export interface Relation {
  readonly oid: number;
  readonly name: string;
  readonly check: Check;
}

/** amcheck's function for an access method. Which of them there are, the server says. */
const functions: Readonly<Record<'tables' | 'indexes', Readonly<Record<string, { readonly called: string; readonly check: Check }>>>> = {
  tables: { heap: { called: 'verify_heapam', check: checkTable } },
  indexes: { btree: { called: 'bt_index_check', check: checkBtree }, gin: { called: 'gin_index_check', check: checkGin } },
};

/**
 * The checks that this server's amcheck has and that the role may call, by access method. A text says why there are none: the
 * extension is of an older version than the server, or the role may not.
 */
export async function checksOf(
  session: Session,
  what: 'tables' | 'indexes',
  amcheck: string,
): Promise<ReadonlyMap<string, Check> | string> {
  const found = await session.query<{ called: string; allowed: boolean }>(
    `SELECT p.proname AS called, bool_and(has_function_privilege(p.oid, 'EXECUTE')) AS allowed
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 GROUP BY p.proname`,
    [amcheck],
  );
  const known = new Map(found.map(({ called, allowed }) => [called, allowed]));
  const all = Object.entries(functions[what]);
  const checks = all.filter(([, { called }]) => known.get(called) === true);
  if (checks.length > 0) return new Map(checks.map(([method, { check }]) => [method, check]));
  const names = all.map(([, { called }]) => called).join(' and ');
  const denied = all.some(([, { called }]) => known.has(called));
  return denied ? `this role may not check ${what}: it has no right to ${names}` : `this server's amcheck has no ${names}`;
}

/**
 * Relations with storage of their own, by the access method that the catalog names. Partitioned ones have none: their partitions are
 * listed. Not those of a session alone, and no index that was never finished. A sequence is a heap that names no access method.
 */
const relations = {
  tables: `SELECT c.oid::int8::float8 AS oid, c.oid::regclass::text AS name, coalesce(a.amname, 'heap') AS method
             FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam
            WHERE (c.relkind IN ('r', 'm', 't') OR c.relkind = 'S' AND current_setting('server_version_num')::int >= 160000)
              AND c.relpersistence <> 't' ORDER BY c.oid`,
  indexes: `SELECT c.oid::int8::float8 AS oid, c.oid::regclass::text AS name, a.amname AS method
              FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
             WHERE c.relkind = 'i' AND i.indisvalid AND i.indisready AND c.relpersistence <> 't' ORDER BY c.oid`,
};

/** What the checks fit; and how many there are of the others, in words ("indexes: 3 brin, 1 hash"). */
export async function checkableRelations(
  session: Session,
  what: 'tables' | 'indexes',
  checks: ReadonlyMap<string, Check>,
): Promise<{ readonly checkable: readonly Relation[]; readonly others: string }> {
  const found = await session.query<{ oid: number; name: string; method: string }>(relations[what]);
  const checkable: Relation[] = [];
  const others = new Map<string, number>();
  for (const { oid, name, method } of found) {
    const check = checks.get(method);
    if (check) checkable.push({ oid, name, check });
    else others.set(method, (others.get(method) ?? 0) + 1);
  }
  const counted = [...others].toSorted(([one], [other]) => one.localeCompare(other)).map(([method, count]) => `${count} ${method}`);
  return { checkable, others: counted.length === 0 ? '' : `${what}: ${counted.join(', ')}` };
}
