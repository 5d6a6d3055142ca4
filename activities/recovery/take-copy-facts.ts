import { qualified } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import { FactsMissing, orReport, takeFacts, type Report } from '../engine/gather-findings.ts';
import type { Servers, Session } from '../postgres/session.ts';
import type { ChosenTable, Recovery } from './contract.ts';
import { readingOf, tryConditions, type Fitting } from './condition.ts';
import type { CopyFacts, CopyTable, ForeignKey } from './facts.ts';
import { hangingOn } from './hanging-on.ts';
import { liveTable, missing, type LiveTable } from './inspect-live.ts';
import { restoredSchemas, restoredTables, restoredTypes, withValues, type RestoredTable } from './inspect-restored.ts';
import { requireNeeded } from './needed-objects.ts';
import { onLive, onRestored, requireTwoServers } from './places.ts';
import { sequencesBehind } from './sequences-behind.ts';
import { requireCondition } from './where-clause.ts';

export interface SeenCopy {
  readonly binding: CopyFacts;
  /** Of the whole tables, for an estimate; and what fits the conditions. */
  readonly observed: { readonly bytes: number; readonly rows: number; readonly fitting: readonly Fitting[] };
}

/**
 * What it takes to bring the chosen tables back. Reads only, `countMs` long to count what fits the conditions. Reports, of all tables,
 * `input-invalid` for a condition that is not one or can't be read, and `plan-impossible` for what can't be brought back: a table that
 * the restored copy has not, one in use without a primary key, with another type in a column, a deferrable key or rules, and one of
 * several that belong together without the others. Without `report` it raises them as one failure. Raises `FactsMissing` after
 * any of them, and `identity-changed` when both addresses lead to one server.
 */
export async function takeCopyFacts(
  servers: Servers,
  recovery: Recovery,
  chosen: readonly ChosenTable[],
  { countMs, report }: { readonly countMs?: number; readonly report?: Report } = {},
): Promise<SeenCopy> {
  const places = { servers, recovery };
  return await takeFacts(async (found) => {
    // What is no condition must never reach a server.
    await withoutRefusal(found, async (refused) => await reportConditions(chosen, refused));
    await requireTwoServers(places);
    return await onRestored(
      places,
      async (restored) => await onLive(places, async (live) => await takeFrom({ restored, live, countMs, report: found }, chosen)),
    );
  }, report);
}

/** Reports every text that is no condition, as `input-invalid`. */
export async function reportConditions(tables: readonly ChosenTable[], report: Report): Promise<void> {
  for (const { where, ...table } of tables)
    if (where !== undefined) await orReport(report, 'condition', () => requireCondition(where, qualified(table)));
}

/** What the work gives, unless it has reported anything: then there is nothing to go on with. */
async function withoutRefusal<Taken>(report: Report, work: (report: Report) => Promise<Taken>): Promise<Taken> {
  let isRefused = false;
  const taken = await work((found) => {
    isRefused ||= found.length > 0;
    report(found);
  });
  if (isRefused) throw new FactsMissing();
  return taken;
}

interface Asked {
  readonly restored: Session;
  readonly live: Session;
  readonly countMs: number | undefined;
  readonly report: Report;
}

interface Chosen {
  readonly tables: readonly RestoredTable[];
  readonly lost: readonly RestoredTable[];
  readonly copied: readonly CopyTable[];
  readonly types: CopyFacts['types'];
}

async function takeFrom(asked: Asked, chosen: readonly ChosenTable[]): Promise<SeenCopy> {
  const { restored, live, countMs, report } = asked;
  const [there, here] = [await identityOf(restored), await identityOf(live)];
  const { tables, lost, copied, types } = await withoutRefusal(
    report,
    async (refused) => await lookAtTables({ ...asked, report: refused }, there.version, chosen),
  );
  const schemas = await missingSchemas(restored, live, lost);
  const hanging = await hangingOn(
    restored,
    lost.map((one) => one.oid),
  );
  const reading = chosen.some((one) => one.where !== undefined) ? { reading: await readingOf(restored) } : {};
  const binding = {
    ...reading,
    live: here,
    restored: there,
    replicaRole: await maySetReplicaRole(live),
    schemas,
    types,
    tables: copied,
    sequences: await sequencesBehind(restored, live, tables),
    inbound: await stillThere(live, hanging.inbound),
    notMade: hanging.others,
  };
  const fitting = await tryConditions(restored, reading, tables, countMs);
  return { binding, observed: { ...(await sizes(restored, tables)), fitting } };
}

/** What stands against any of them is reported, so people see it of all. */
async function lookAtTables({ restored, live, report }: Asked, version: number, chosen: readonly ChosenTable[]): Promise<Chosen> {
  const tables = inOrder(await restoredTables(restored, version, chosen));
  const absent = chosen.filter((one) => !tables.some((table) => qualified(table) === qualified(one)));
  const look = async <Taken>(take: () => Taken | Promise<Taken>): Promise<Taken | undefined> => await orReport(report, 'tables', take);
  await look(() => requireNone(absent));
  const found = [];
  for (const table of tables) {
    await look(() => requireHeirs(table, tables));
    found.push({ table, inUse: await liveTable(live, table) });
  }
  const lost = found.filter((one) => one.inUse === undefined).map((one) => one.table);
  for (const table of lost) await look(async () => await requireParents(live, table, tables));
  const types = await missingTypes(restored, live, lost);
  const oids = lost.map((one) => one.oid);
  await look(async () => await requireNeeded({ restored, live }, oids, types));
  const copied: CopyTable[] = [];
  for (const { table, inUse } of found) {
    // The root of a partitioned table that is there holds no rows of its own.
    if (inUse?.kind === 'p' && table.definition.kind === 'partitioned') continue;
    const one = inUse === undefined ? missingTable(await withValues(restored, table)) : await look(() => tableInUse(table, inUse));
    if (one) copied.push(one);
  }
  return { tables, lost, copied, types };
}

function requireNone(absent: readonly ChosenTable[]): void {
  if (absent.length > 0) throw impossible(`the restored copy has no table ${absent.map(qualified).join(', ')}`);
}

async function identityOf(session: Session): Promise<CopyFacts['live']> {
  const [row] = await session.query<{ systemIdentifier: string; databaseOid: string; version: number }>(
    `SELECT c.system_identifier::text AS "systemIdentifier", d.oid::int8::text AS "databaseOid",
            current_setting('server_version_num')::int AS version
       FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()`,
  );
  if (!row) throw new Error('a database that answers stands in pg_database');
  if (row.version < 120_000) throw impossible('copying tables back needs PostgreSQL 12 or newer');
  return { ...row, databaseOid: Number(row.databaseOid) };
}

/** Rows of a table that inherits are seen in its parent: who chooses that one may mean them, too. */
function requireHeirs(table: RestoredTable, tables: readonly RestoredTable[]): void {
  const chosen = new Set(tables.map(qualified));
  const left = table.heirs.map(qualified).filter((one) => !chosen.has(one));
  if (left.length === 0) return;
  throw impossible(`${qualified(table)} has tables that inherit from it: ${left.join(', ')}. Choose them, too: each brings its own rows`);
}

/** What is missing can only be put below a parent that is there, or comes back with it. */
async function requireParents(live: Session, table: RestoredTable, tables: readonly RestoredTable[]): Promise<void> {
  const chosen = new Set(tables.map(qualified));
  for (const parent of table.definition.parents) {
    if (chosen.has(qualified(parent)) || (await liveTable(live, parent)) !== undefined) continue;
    throw impossible(`${qualified(table)} belongs to ${qualified(parent)}, which is missing, too. Choose that one, too`);
  }
}

/** Tables before those that refer to them, where they don't do so in a circle. */
function inOrder(tables: readonly RestoredTable[]): RestoredTable[] {
  const left = new Map(tables.map((one) => [one.oid, one]));
  const ordered: RestoredTable[] = [];
  while (left.size > 0) {
    const free = [...left.values()].find((one) => one.refersTo.every((oid) => oid === one.oid || !left.has(oid)));
    const next = free ?? [...left.values()][0];
    if (!next) break;
    left.delete(next.oid);
    ordered.push(next);
  }
  return ordered;
}

function missingTable({ schema, name, where, columns, within, definition }: RestoredTable): CopyTable {
  return { live: 'missing', schema, name, where, columns, within, definition };
}

const sameType = (one: string, other: string): boolean => one.replaceAll('"json"', 'json') === other.replaceAll('"json"', 'json');

function tableInUse(restored: RestoredTable, live: LiveTable): CopyTable {
  const { schema, name, where, within } = restored;
  const table = qualified(restored);
  if (restored.definition.kind === 'partitioned') throw impossible(`${table} is not partitioned any more in the database in use`);
  if (live.kind !== 'r' && live.kind !== 'p') throw impossible(`${table} is no table in the database in use`);
  if (live.key.length === 0) throw impossible(`${table} has no primary key in the database in use, so nobody can tell which rows it lacks`);
  requireArbiters(table, live);
  const now = new Map(live.columns.map((column) => [column.name, column]));
  const stored = restored.columns.filter((column) => column.generated === '');
  // What the table in use stores: also what was generated at the moment and is an ordinary column now.
  const columns = restored.columns
    .filter((column) => now.get(column.name)?.generated === '')
    .map((column) => (column.generated === '' ? column : { ...column, generated: '', expression: null }));
  const others = columns.filter((column) => !sameType(now.get(column.name)?.type ?? '', column.type));
  if (others.length > 0) throw impossible(`columns of ${table} have another type now: ${others.map((one) => one.name).join(', ')}`);
  const names = new Set(columns.map((column) => column.name));
  const lacks = live.columns.filter((column) => column.required && column.generated === '' && !names.has(column.name));
  if (lacks.length > 0)
    throw impossible(`${table} now needs values that the restored rows have not: ${lacks.map((one) => one.name).join(', ')}`);
  if (live.key.some((column) => !names.has(column.name))) throw impossible(`the primary key of ${table} is another one now`);
  return {
    ...{ live: 'there', partitioned: live.kind === 'p', schema, name, where, columns, within },
    ...{ key: live.key, references: live.references, referencedBy: live.referencedBy, triggers: live.triggers },
    ...(restored.root === table ? {} : { root: restored.root }),
    dropped: stored.filter((column) => !now.has(column.name)).map((column) => column.name),
    computed: stored.filter((column) => (now.get(column.name)?.generated ?? '') !== '').map((column) => column.name),
  };
}

/** The server leaves out rows whose key is taken only by keys that it checks at once, and where no rule rewrites it. */
function requireArbiters(table: string, { deferrable, rules }: LiveTable): void {
  if (deferrable.length > 0)
    throw impossible(
      `${table} has keys in the database in use that may be checked later: ${deferrable.join(', ')}. Rows can't be added past them`,
    );
  if (rules) throw impossible(`${table} has rules for INSERT or UPDATE in the database in use. Rows can't be added past them`);
}

async function missingSchemas(restored: Session, live: Session, lost: readonly RestoredTable[]): Promise<CopyFacts['schemas']> {
  const names = [...new Set(lost.map((one) => one.schema))];
  const absent = await missing(
    live,
    'schema',
    names.map((name) => ({ schema: '', name })),
  );
  return await restoredSchemas(
    restored,
    names.filter((name) => absent.has(`\0${name}`)),
  );
}

async function missingTypes(restored: Session, live: Session, lost: readonly RestoredTable[]): Promise<CopyFacts['types']> {
  const types = await restoredTypes(restored, lost);
  const absent = await missing(live, 'type', types);
  return types.filter((one) => absent.has(`${one.schema}\0${one.name}`));
}

/** Of the keys that went with their table those whose own table is still there, without the key. */
async function stillThere(live: Session, keys: readonly ForeignKey[]): Promise<CopyFacts['inbound']> {
  const still = [];
  for (const one of keys) {
    const [row] = await live.query<{ has: boolean; partitioned: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = c.oid AND o.conname = $3) AS has, c.relkind = 'p' AS partitioned
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
      [one.schema, one.table, one.name],
    );
    if (row?.has === false) still.push({ ...one, partitioned: row.partitioned });
  }
  return still;
}

/** Tried where nothing can come of it: the transaction is rolled back. */
async function maySetReplicaRole(session: Session): Promise<boolean> {
  await session.query('BEGIN');
  try {
    await session.query('SET LOCAL session_replication_role = replica');
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === 'privilege-missing') return false;
    throw error;
  } finally {
    await session.query('ROLLBACK');
  }
}

async function sizes(session: Session, tables: readonly RestoredTable[]): Promise<Pick<SeenCopy['observed'], 'bytes' | 'rows'>> {
  const [row] = await session.query<{ bytes: string; rows: string }>(
    `SELECT coalesce(sum(pg_table_size(oid)), 0)::text AS bytes, coalesce(sum(greatest(reltuples, 0)), 0)::int8::text AS rows
       FROM pg_class WHERE oid = ANY ($1::int8[]::oid[])`,
    [tables.map((one) => one.oid)],
  );
  return { bytes: Number(row?.bytes ?? 0), rows: Number(row?.rows ?? 0) };
}

function impossible(message: string): Failure {
  return new Failure('plan-impossible', message);
}
