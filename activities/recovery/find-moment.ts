import { qualified, quoteIdentifier } from '../../domain/command.ts';
import { exactMoment, microsecondsOf } from '../../domain/exact-moment.ts';
import { Failure } from '../../domain/failure.ts';
import { redact } from '../../domain/redaction.ts';
import type { VerificationRules } from '../../domain/verification.ts';
import type { Servers, Session } from '../postgres/session.ts';
import { answered } from './looked.ts';
import type { LoggedRemoval } from './log-moments.ts';
import { onLive } from './places.ts';

/** When did a table lose its rows? What is known. */
export interface MomentSearch {
  readonly database: string;
  readonly table: { readonly schema: string; readonly name: string };
  /** The statement that did it, from the server's log. */
  readonly removal?: LoggedRemoval;
  /** The table is there, and empty. */
  readonly truncated?: boolean;
  readonly newestRow?: VerificationRules['newestRow'];
}

/** All moments are ISO 8601 in UTC. */
export interface FoundMoment {
  /** To the microsecond: for a restore that can. */
  readonly moment: string;
  /** For a restore to whole seconds. */
  readonly wholeSecond: string;
  /** When the removal began, or was committed where only that is known. */
  readonly removedAt: string;
  readonly by: 'log' | 'commit-timestamps';
  readonly statement?: string;
  /** The last one before it; null where the server doesn't keep their time. */
  readonly lastCommit: string | null;
  /** What a second earlier costs, on average of the ten around it; null when nothing tells. */
  readonly perSecond: number | null;
  readonly counted: 'commits' | 'rows' | null;
}

/** So many commits are looked at, newest first: an hour of five hundred a second. */
const commitsAtMost = 2_000_000;
const commitsAtOnce = 100_000;

/**
 * The last moment before a table was dropped, emptied or deleted from: by the statement that the caller has found in the log, else by
 * the commit that gave a truncated table its new file. From there the last commit before it, where the server keeps the time of
 * commits, and what a second costs: commits, or rows of the column that the inventory names. The caller chooses between the moment to
 * the microsecond and the whole second before it, as the provider can. Reads only. Raises `plan-impossible` when nothing tells.
 */
export async function findMoment(servers: Servers, search: MomentSearch): Promise<FoundMoment> {
  const places = { servers, recovery: { database: search.database, restored: {} } };
  return await onLive(places, async (session) => {
    const keeps = await keepsCommitTimes(session);
    const removal = await removalOf(session, search, keeps);
    const last = keeps ? await lastCommitBefore(session, removal.at) : undefined;
    const costs = last?.perSecond ?? (await rowsPerSecond(session, search, removal.at));
    // The commit itself belongs to what is restored; the removal does not.
    const moment = last?.at ?? before(removal.at);
    return {
      moment,
      wholeSecond: wholeSecondBefore(removal.at),
      removedAt: removal.at,
      by: removal.by,
      ...(removal.statement === undefined ? {} : { statement: removal.statement }),
      lastCommit: last?.at ?? null,
      perSecond: costs ?? null,
      counted: last ? 'commits' : costs === undefined ? null : 'rows',
    };
  });
}

interface Removal {
  readonly at: string;
  readonly by: FoundMoment['by'];
  readonly statement?: string;
}

async function removalOf(session: Session, search: MomentSearch, keeps: boolean): Promise<Removal> {
  if (search.removal) return { at: search.removal.at, by: 'log', statement: redact(search.removal.statement) };
  // A TRUNCATE gives the table another file, and with it a new row in the catalog.
  if (keeps && search.truncated === true) {
    const rows = await session.query<{ at: string | null }>(
      `SELECT ${iso('pg_xact_commit_timestamp(c.xmin)')} AS at FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2 AND pg_relation_filenode(c.oid) <> c.oid`,
      [search.table.schema, search.table.name],
    );
    if (typeof rows[0]?.at === 'string') return { at: rows[0].at, by: 'commit-timestamps' };
  }
  const { database } = search;
  throw new Failure('plan-impossible', `nothing tells when ${qualified(search.table)} of ${database} lost its rows`, { database });
}

const iso = (moment: string): string => `to_char(${moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

async function keepsCommitTimes(session: Session): Promise<boolean> {
  const [row] = await session.query<{ on: boolean }>(`SELECT current_setting('track_commit_timestamp')::boolean AS on`);
  return row?.on === true;
}

/** Transactions are numbered: from the newest on, in pieces, until one has a commit of before the moment. */
async function lastCommitBefore(session: Session, moment: string): Promise<{ at: string; perSecond: number } | undefined> {
  let around = 0;
  for (let seen = 0; seen < commitsAtMost; seen += commitsAtOnce) {
    const [row] = await session.query<{ at: string | null; commits: number; more: boolean }>(
      `WITH newest AS (SELECT txid_snapshot_xmax(txid_current_snapshot()) - 1 - $2::bigint AS id)
       SELECT ${iso('max(t.at) FILTER (WHERE t.at < $1::timestamptz)')} AS at, (SELECT id > $3::bigint + 3 FROM newest) AS more,
              (count(*) FILTER (WHERE abs(extract(epoch FROM t.at - $1::timestamptz)) <= 5))::int AS commits
         FROM (SELECT pg_xact_commit_timestamp((x & 4294967295)::text::xid) AS at
                 FROM newest, generate_series(greatest(3, id - $3::bigint + 1), id) x WHERE (x & 4294967295) > 2) t`,
      [moment, seen, commitsAtOnce],
    );
    around += row?.commits ?? 0;
    if (typeof row?.at === 'string') return { at: row.at, perSecond: around / 10 };
    if (row?.more !== true) return undefined;
  }
  return undefined;
}

/** As a last resort: rows of a busy table around the moment, by its column. */
async function rowsPerSecond(session: Session, { newestRow }: MomentSearch, moment: string): Promise<number | undefined> {
  if (!newestRow) return undefined;
  const { schema, table, column } = newestRow;
  const at = `${quoteIdentifier(column)}::timestamptz`;
  const rows = await answered(
    async () =>
      await session.query<{ rows: number }>(
        `SELECT count(*)::int AS rows FROM ${qualified({ schema, name: table })}
          WHERE ${at} BETWEEN $1::timestamptz - interval '5 s' AND $1::timestamptz + interval '5 s'`,
        [moment],
      ),
  );
  return rows instanceof Failure ? undefined : (rows[0]?.rows ?? 0) / 10;
}

/** A microsecond before: a restore takes what was committed at its moment, too. */
const before = (moment: string): string => exactMoment(microsecondsOf(moment) - 1n);

/** What was committed at a moment is restored with it, so a removal at a whole second needs the one before. */
const wholeSecondBefore = (moment: string): string => `${before(moment).slice(0, 19)}Z`;
