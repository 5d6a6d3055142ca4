import { quoteLiteral } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { Migration } from '../replication/contract.ts';
import type { MigrationFacts, SideFacts } from '../replication/facts.ts';
import type { Servers, Session } from './session.ts';

/** One session on each side; values come out of both in the same form. */
export interface Pair {
  readonly source: Session;
  readonly target: Session;
}

export interface Pairs {
  readonly pairs: readonly Pair[];
  /** `snapshot`: the target's sessions see the state of the switch; `live`: the state of now. */
  readonly method: 'snapshot' | 'live';
  end(): Promise<void>;
}

/** SQLSTATEs of a snapshot that nobody keeps any more. */
const snapshotLost = new Set(['22023', '42704', '55000']);

/** Opens `count` pairs and lets the target's sessions join the snapshot; when it is lost they look at the state of now. */
export async function openPairs(
  servers: Servers,
  migration: Migration,
  facts: MigrationFacts,
  snapshot: string,
  count: number,
): Promise<Pairs> {
  const opened: Session[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(opened.map((session) => session.end()));
  };
  try {
    const pairs: Pair[] = [];
    let joined = true;
    for (let index = 0; index < count; index += 1) {
      const source = await openAlike(servers, migration.source, facts.binding.source);
      opened.push(source);
      const target = await openAlike(servers, migration.target, facts.binding.target);
      opened.push(target);
      joined = joined && (await join(target, snapshot));
      pairs.push({ source, target });
    }
    // Some joined and some not: then all look at the state of now, so that one rule holds for every table.
    if (!joined) for (const { target } of pairs) await target.query('ROLLBACK');
    return { pairs, method: joined ? 'snapshot' : 'live', end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function join(target: Session, snapshot: string): Promise<boolean> {
  await target.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await target.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`);
    return true;
  } catch (error) {
    if (error instanceof Failure && snapshotLost.has(String(error.facts.sqlstate))) return false;
    throw error;
  }
}

async function openAlike(servers: Servers, database: string, side: SideFacts): Promise<Session> {
  const session = await servers.open(database, { purpose: 'look', statementTimeout: 0, identity: side });
  try {
    await session.query(
      settings(side.version)
        .map((setting) => `SET ${setting}`)
        .join('; '),
    );
    return session;
  } catch (error) {
    await session.end();
    throw error;
  }
}

/** Everything that decides how a value is written; and no timeout that would end a long transaction. */
function settings(version: number): string[] {
  return [
    "TimeZone = 'UTC'",
    "DateStyle = 'ISO, YMD'",
    "IntervalStyle = 'postgres'",
    'extra_float_digits = 1',
    "bytea_output = 'hex'",
    "lc_monetary = 'C'",
    "xmlbinary = 'base64'",
    'search_path = pg_catalog',
    'quote_all_identifiers = on',
    // A policy must not hide rows: better an error.
    'row_security = off',
    'idle_in_transaction_session_timeout = 0',
    ...(version >= 140_000 ? ["client_connection_check_interval = '10s'"] : []),
    ...(version >= 170_000 ? ['transaction_timeout = 0'] : []),
  ];
}
