import type pg from 'pg';
import { qualified, quoteIdentifier } from '../domain/command.ts';
import type { LoadReport } from './load-report.ts';

/** A connection that may read everything, such as a superuser's. */
export type Reader = Pick<pg.Client, 'query'>;

export interface Verdict {
  /** Writes that were acknowledged to a client and are not there. */
  readonly lost: number;
  /** Writes that are there and that no client ever attempted. */
  readonly ghost: number;
  /** Transactions whose effect is there more than once. */
  readonly duplicated: number;
  /** Transactions of which only a part is there. */
  readonly torn: number;
  /** Sequences that would hand out a value again. */
  readonly sequencesBehind: readonly SequenceBehind[];
  /** Rows on the other side that are not on this one; null when no other side was given. */
  readonly oldSideWritesAfterFence: number | null;
  /** Up to ten keys (client/n) for each kind, to look at. */
  readonly examples: Readonly<Record<'lost' | 'ghost' | 'duplicated' | 'torn' | 'oldSide', readonly string[]>>;
}

export interface SequenceBehind {
  readonly sequence: string;
  /** What it would hand out next. */
  readonly next: string;
  /** The furthest value in use. */
  readonly used: string;
}

type Keys = Map<number, Set<number>>;

/**
 * Holds what the load's clients were told against the side that serves in the end; `other` is the side that must not have taken a
 * write after the fence. Stop the load first. Reads only; works on any load's report of this database.
 */
export async function judge(report: LoadReport, serving: Reader, other?: Reader): Promise<Verdict> {
  const clients = report.clients.map((one) => one.client);
  const there = await keysOn(serving, clients);
  const lost = report.clients.flatMap((one) =>
    numbers(one.acknowledged)
      .filter((n) => !has(there, one.client, n))
      .map((n) => `${one.client}/${n}`),
  );
  const ghost = report.clients.flatMap((one) =>
    [...(there.get(one.client) ?? [])].filter((n) => n < 1 || n > one.attempted).map((n) => `${one.client}/${n}`),
  );
  const { duplicated, torn } = await effects(serving, clients);
  const oldSide = other ? only(await keysOn(other, clients), there) : undefined;
  return {
    ...{ lost: lost.length, ghost: ghost.length, duplicated: duplicated.length, torn: torn.length },
    sequencesBehind: await sequencesBehind(serving, report.handedOut),
    oldSideWritesAfterFence: oldSide?.length ?? null,
    examples: {
      lost: lost.slice(0, 10),
      ghost: ghost.slice(0, 10),
      duplicated: duplicated.slice(0, 10),
      torn: torn.slice(0, 10),
      oldSide: (oldSide ?? []).slice(0, 10),
    },
  };
}

function numbers(highest: number): number[] {
  return Array.from({ length: highest }, (_, index) => index + 1);
}

function has(keys: Keys, client: number, n: number): boolean {
  return keys.get(client)?.has(n) ?? false;
}

function only(here: Keys, there: Keys): string[] {
  return [...here].flatMap(([client, found]) => [...found].filter((n) => !has(there, client, n)).map((n) => `${client}/${n}`));
}

async function keysOn(side: Reader, clients: readonly number[]): Promise<Keys> {
  const found = await side.query<{ client: number; numbers: string[] }>(
    'SELECT client, array_agg(n::text) AS numbers FROM public.probe WHERE client = ANY($1) GROUP BY client',
    [clients],
  );
  return new Map(found.rows.map((row) => [row.client, new Set(row.numbers.map(Number))]));
}

/** The order that each write made: none means torn, two mean duplicated; an order without its probe row is torn too. */
async function effects(side: Reader, clients: readonly number[]): Promise<{ duplicated: string[]; torn: string[] }> {
  const found = await side.query<{ key: string; orders: number; probes: number }>(
    `SELECT coalesce(p.client || '/' || p.n, substr(o.reference, 7)) AS key, coalesce(o.orders, 0)::int AS orders, (p.client IS NOT NULL)::int AS probes
     FROM (SELECT client, n, 'probe/' || client || '/' || n AS reference FROM public.probe WHERE client = ANY($1)) AS p
     FULL JOIN (SELECT reference, count(*) AS orders FROM public.orders
       WHERE reference LIKE 'probe/%' AND split_part(reference, '/', 2) = ANY($2) GROUP BY reference) AS o USING (reference)
     WHERE o.orders IS DISTINCT FROM 1 OR p.client IS NULL`,
    [clients, clients.map(String)],
  );
  return {
    duplicated: found.rows.filter((row) => row.orders > 1).map((row) => row.key),
    torn: found.rows.filter((row) => row.orders === 0 || row.probes === 0).map((row) => row.key),
  };
}

interface SequenceUse {
  readonly schema: string;
  readonly name: string;
  readonly increment: string;
  readonly table_schema: string | null;
  readonly table_name: string | null;
  readonly column_name: string | null;
}

/** Sequences by the columns that own them or have them as default; and the one that only the application's statements name. */
const sequenceUses = `
  SELECT n.nspname AS schema, c.relname AS name, s.seqincrement::text AS increment,
    tn.nspname AS table_schema, t.relname AS table_name, a.attname AS column_name
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    SELECT d.refobjid AS relation, d.refobjsubid::int2 AS attnum FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    UNION SELECT f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
      WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
    UNION SELECT 'public.orders'::regclass, attnum FROM pg_attribute
      WHERE attrelid = 'public.orders'::regclass AND attname = 'number' AND c.oid = 'public.order_numbers'::regclass
  ) AS used ON true
  LEFT JOIN pg_class t ON t.oid = used.relation LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = used.relation AND a.attnum = used.attnum
  WHERE n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2`;

async function sequencesBehind(side: Reader, handedOut: LoadReport['handedOut']): Promise<SequenceBehind[]> {
  const uses = (await side.query<SequenceUse>(sequenceUses)).rows;
  const behind = new Map<string, SequenceBehind>();
  for (const use of uses) {
    const sequence = `${use.schema}.${use.name}`;
    const up = BigInt(use.increment) > 0n;
    const next = await nextValue(side, use);
    const given = handedOut[sequence];
    const known = [await furthestUsed(side, use, up), given === undefined ? undefined : BigInt(given)];
    const used = known.filter((value) => value !== undefined).toSorted((a, b) => (a < b === up ? 1 : -1))[0];
    if (used !== undefined && (up ? next <= used : next >= used))
      behind.set(sequence, { sequence, next: String(next), used: String(used) });
  }
  return [...behind.values()];
}

async function nextValue(side: Reader, use: SequenceUse): Promise<bigint> {
  const found = await side.query<{ last_value: string; is_called: boolean }>(`SELECT last_value::text, is_called FROM ${qualified(use)}`);
  const row = found.rows[0];
  if (!row) throw new Error(`the sequence ${use.schema}.${use.name} cannot be read`);
  return BigInt(row.last_value) + (row.is_called ? BigInt(use.increment) : 0n);
}

async function furthestUsed(side: Reader, use: SequenceUse, up: boolean): Promise<bigint | undefined> {
  if (use.table_schema === null || use.table_name === null || use.column_name === null) return undefined;
  const table = qualified({ schema: use.table_schema, name: use.table_name });
  const found = await side.query<{ used: string | null }>(
    `SELECT ${up ? 'max' : 'min'}(${quoteIdentifier(use.column_name)})::text AS used FROM ${table}`,
  );
  const used = found.rows[0]?.used;
  return used === null || used === undefined ? undefined : BigInt(used);
}
