import type { PoolerEntry } from '../../../domain/inventory.ts';
import type { Attempt } from '../../attempt.ts';
import { openConsole, type Console } from '../../pooling/pgbouncer.ts';
import { isKeptOut } from '../../postgres/errors.ts';
import type { Opening, Servers, Session } from '../../postgres/session.ts';
import type { Migration } from '../contract.ts';
import type { MigrationFacts } from '../facts.ts';
import { openSide } from './fence.ts';
import { exporterName } from './switch-facts.ts';

/** Every connection that the switch needs, opened before anything is held up. */
export interface Sessions {
  readonly source: { readonly change: Session; readonly look: Session };
  readonly target: { readonly change: Session; readonly look: Session };
  /** Exports the snapshot and then sleeps on it. */
  readonly exporter: Session;
  readonly console: Console | null;
  /** Our own process ids on the source. */
  readonly ours: readonly number[];
  end(): Promise<void>;
}

interface Opened {
  readonly servers: Servers;
  readonly migration: Migration;
  readonly facts: MigrationFacts;
  readonly attempt: Attempt;
}

/** Opens all of them at once. When one is refused the others are closed again. */
export async function openSessions(opened: Opened): Promise<Sessions> {
  const { servers, migration, facts, attempt } = opened;
  const { pooler } = servers.entry(migration.source);
  const timeout = { statementTimeout: migration.limits.pauseMs };
  const change: Opening = { purpose: 'change', step: attempt.step, ...timeout };
  const look: Opening = { purpose: 'look', ...timeout };
  const opening = await Promise.allSettled([
    openSource(opened, change),
    openSource(opened, look),
    servers.open(migration.target, { ...change, identity: facts.binding.target }),
    servers.open(migration.target, { ...look, identity: facts.binding.target }),
    openExporter(opened),
    pooler ? openPooler(servers, pooler) : null,
  ]);
  const [sourceChange, sourceLook, targetChange, targetLook, exporter, console] = opening;
  const end = async (): Promise<void> => {
    const opened = opening.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []));
    await Promise.all(opened.map((one) => one.end()));
  };
  if (
    sourceChange.status === 'rejected' ||
    sourceLook.status === 'rejected' ||
    targetChange.status === 'rejected' ||
    targetLook.status === 'rejected' ||
    exporter.status === 'rejected' ||
    console.status === 'rejected'
  ) {
    await end();
    throw opening.find((one) => one.status === 'rejected')?.reason;
  }
  await targetChange.value.query('SET synchronous_commit = on');
  await sourceChange.value.query('SET synchronous_commit = on');
  return {
    source: { change: sourceChange.value, look: sourceLook.value },
    target: { change: targetChange.value, look: targetLook.value },
    exporter: exporter.value,
    console: console.value,
    ours: [sourceChange.value.pid, sourceLook.value.pid],
    end,
  };
}

export async function openPooler(servers: Servers, pooler: PoolerEntry): Promise<Console> {
  return await openConsole(pooler, await servers.secret(pooler.admin.secret));
}

/** A database of the same server from which a fence can be lifted. */
function elsewhere(dbname: string): string {
  return dbname === 'postgres' ? 'template1' : 'postgres';
}

/** A session of the database; or of another one of its server, when our own login is kept out by a fence that somebody changed. */
export async function openAnyway(servers: Servers, database: string, dbname: string, opening: Opening): Promise<Session> {
  try {
    return await servers.open(database, opening);
  } catch (error) {
    if (!isKeptOut(error)) throw error;
    return await servers.open(database, { ...opening, dbname: elsewhere(dbname) });
  }
}

/**
 * When our own login is kept out, the fence is lifted from another database and set again later. Only before "no return", where
 * nothing of an earlier attempt counts.
 */
async function openSource({ servers, migration, facts }: Opened, wanted: Opening): Promise<Session> {
  const opening: Opening = { ...wanted, identity: facts.binding.source };
  try {
    return await servers.open(migration.source, opening);
  } catch (error) {
    if (!isKeptOut(error)) throw error;
  }
  const other = await servers.open(migration.source, { ...opening, purpose: 'change', dbname: elsewhere(facts.binding.source.dbname) });
  try {
    await openSide(other, 'source', facts);
  } finally {
    await other.end();
  }
  return await servers.open(migration.source, opening);
}

/** Nothing may end this session but its own sleep: not the server's timeouts, not the loss of the worker. */
async function openExporter({ servers, migration, facts, attempt }: Opened): Promise<Session> {
  const step = exporterName(attempt.tag).replace(/^steadyhand /, '');
  const session = await servers.open(migration.target, { purpose: 'change', step, statementTimeout: 0, identity: facts.binding.target });
  await session.query('SET idle_in_transaction_session_timeout = 0');
  if (facts.binding.target.version >= 140_000) await session.query('SET client_connection_check_interval = 0');
  if (facts.binding.target.version >= 170_000) await session.query('SET transaction_timeout = 0');
  return session;
}
