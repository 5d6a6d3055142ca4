import type { MigrationFacts, SideFacts } from '../replication/facts.ts';
import { notOf } from './apply-triggers.ts';
import { inspectSide } from './inspect-side.ts';
import { notCarried } from './not-carried.ts';
import { extensionName, materializedViewName, schemaName, sequenceName, tableName } from './objects-of.ts';
import type { Servers, Session } from './session.ts';

export interface BeforeFence {
  readonly connectionLimit?: number;
  readonly connects?: SideFacts['connects'];
}

export interface Inspection {
  /** Databases of the inventory. */
  readonly source: string;
  readonly target: string;
  /** The run's tag, to find its slot for the lag; absent before the run has one. */
  readonly tag?: string;
  /** What the run itself has made on the target, as `objectsOf` names it (journal of copySchema): never in the facts. */
  readonly ownObjects?: readonly string[];
  /** The pooler's alias and where it points now. */
  readonly pooler?: MigrationFacts['binding']['pooler'];
  /** What the fences have replaced (journals), for a side that is closed because of us. */
  readonly before?: { readonly source?: BeforeFence; readonly target?: BeforeFence };
  /** Of the target, before the run held them (journal). */
  readonly applyTriggers?: SideFacts['applyTriggers'];
  /** Of the source, as they were published (journal). */
  readonly definitions?: string;
}

/**
 * Looks at both sides. The binding facts of two looks are equal when nothing but the run itself changed anything: what carries
 * the run's tag, the schema `steadyhand` and `ownObjects` never stand in them. Raises what a session raises.
 */
export async function inspectMigration(servers: Servers, inspection: Inspection): Promise<MigrationFacts> {
  const { before = {}, definitions } = inspection;
  const source = await inspectSide(servers, inspection.source, { ...before.source, definitions, as: 'source' });
  const names = source.roles.map((role) => role.name);
  const target = await inspectSide(servers, inspection.target, { ...before.target, roles: names });
  const observed = await observe(servers, inspection);
  return {
    binding: { source, target: ofTheWorld(target, inspection), pooler: inspection.pooler ?? null },
    observed,
  };
}

/** The target without what the run itself has made and set. */
function ofTheWorld(target: SideFacts, { ownObjects, applyTriggers }: Inspection): SideFacts {
  const own = new Set(ownObjects);
  return { ...without(target, own), applyTriggers: applyTriggers ?? notOf(own, target.applyTriggers) };
}

function without(side: SideFacts, own: ReadonlySet<string>): SideFacts {
  if (own.size === 0) return side;
  return {
    ...side,
    extensions: side.extensions.filter((one) => !own.has(extensionName(one))),
    schemas: side.schemas.filter((one) => !own.has(schemaName(one))),
    tables: side.tables.filter((one) => !own.has(tableName(one))),
    sequences: side.sequences.filter(
      (one) => !own.has(one.extension === null ? sequenceName(one) : extensionName({ name: one.extension })),
    ),
    configuration: side.configuration.filter((one) => !own.has(extensionName({ name: one.extension }))),
    materializedViews: side.materializedViews.filter((one) => !own.has(materializedViewName(one))),
    otherObjects: side.otherObjects.filter((one) => !own.has(one)),
  };
}

async function observe(servers: Servers, { source, target, tag }: Inspection): Promise<MigrationFacts['observed']> {
  const [onSource, onTarget] = await Promise.all([
    looking(servers, source, async (session) => ({
      tables: await tableSizes(session),
      ...(await pressure(session, tag)),
      notCarried: await notCarried(session),
    })),
    looking(servers, target, tableSizes),
  ]);
  const rows = (tables: readonly { rows: number }[]): number => tables.reduce((sum, table) => sum + table.rows, 0);
  return {
    sourceBytes: onSource.tables.reduce((sum, table) => sum + table.bytes, 0),
    sourceRows: rows(onSource.tables),
    targetRows: rows(onTarget),
    ...onSource,
  };
}

async function looking<Result>(servers: Servers, database: string, look: (session: Session) => Promise<Result>): Promise<Result> {
  const session = await servers.open(database, { purpose: 'look' });
  try {
    return await look(session);
  } finally {
    await session.end();
  }
}

/** Bytes with indexes and TOAST; rows by the server's own estimate. */
async function tableSizes(session: Session): Promise<{ schema: string; name: string; bytes: number; rows: number }[]> {
  const rows = await session.query<{ schema: string; name: string; bytes: string; rows: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, coalesce(pg_total_relation_size(c.oid), 0)::text AS bytes,
            greatest(c.reltuples::int8, pg_stat_get_live_tuples(c.oid), 0)::text AS rows
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'steadyhand')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
  return rows.map((row) => ({ schema: row.schema, name: row.name, bytes: Number(row.bytes), rows: Number(row.rows) }));
}

async function pressure(session: Session, tag: string | undefined): Promise<{ lagBytes: number | null; longestTransactionMs: number }> {
  const [row] = await session.query<{ lag: string | null; longest: number }>(
    `SELECT (SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                                    confirmed_flush_lsn)::text
               FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()) AS lag,
            coalesce((SELECT max(extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 FROM pg_stat_activity
                       WHERE datname = current_database() AND backend_type = 'client backend'
                         AND application_name NOT LIKE 'steadyhand %'), 0) AS longest`,
    [tag ?? ''],
  );
  return {
    lagBytes: row?.lag == null ? null : Number(row.lag),
    longestTransactionMs: Math.round(row?.longest ?? 0),
  };
}
