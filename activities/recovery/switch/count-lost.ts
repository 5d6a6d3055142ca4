import { qualified, quoteIdentifier } from '../../../domain/command.ts';
import { Failure } from '../../../domain/failure.ts';
import type { VerificationRules } from '../../../domain/verification.ts';
import type { Session } from '../../postgres/session.ts';
import { answered } from '../looked.ts';
import type { Lost } from './facts.ts';

/** So many commits are looked at, newest first. */
const commitsAtMost = 2_000_000;
const commitsAtOnce = 100_000;
/** Traffic may be held up meanwhile. */
const commitsWithinMs = 5_000;

/**
 * What has been written since the moment: rows of the column that the inventory names, and commits where the server keeps their
 * time. Reads only. What can't be told, or not in the session's time (commits: in 5 s), is null.
 */
export async function countLost(session: Session, since: string | null, newestRow: VerificationRules['newestRow']): Promise<Lost> {
  const rowsOf = newestRow ? `${newestRow.schema}.${newestRow.table}.${newestRow.column}` : null;
  if (since === null) return { since, rows: null, rowsOf, commits: null };
  return {
    since,
    rows: newestRow ? await rowsSince(session, since, newestRow) : null,
    rowsOf,
    commits: await commitsSince(session, since),
  };
}

async function rowsSince(
  session: Session,
  since: string,
  { schema, table, column }: NonNullable<VerificationRules['newestRow']>,
): Promise<number | null> {
  const written = `SELECT count(*)::int AS rows FROM ${qualified({ schema, name: table })} WHERE ${quoteIdentifier(column)}::timestamptz > $1`;
  const rows = await answered(async () => await session.query<{ rows: number }>(written, [since]));
  return rows instanceof Failure ? null : (rows[0]?.rows ?? null);
}

/** Transactions are numbered: from the newest on, in pieces, until one has no commit of after the moment. */
async function commitsSince(session: Session, since: string): Promise<number | null> {
  const [keeps] = await session.query<{ on: boolean }>(`SELECT current_setting('track_commit_timestamp')::boolean AS on`);
  if (keeps?.on !== true) return null;
  let commits = 0;
  const until = performance.now() + commitsWithinMs;
  for (let seen = 0; seen < commitsAtMost && performance.now() < until; seen += commitsAtOnce) {
    const piece = async () =>
      await session.query<{ commits: number; more: boolean }>(
        `WITH newest AS (SELECT txid_snapshot_xmax(txid_current_snapshot()) - 1 - $2::bigint AS id)
         SELECT (SELECT id > $3::bigint + 3 FROM newest) AS more, count(*) FILTER (WHERE t.at > $1::timestamptz)::int AS commits
           FROM (SELECT pg_xact_commit_timestamp((x & 4294967295)::text::xid) AS at
                   FROM newest, generate_series(greatest(3, id - $3::bigint + 1), id) x WHERE (x & 4294967295) > 2) t`,
        [since, seen, commitsAtOnce],
      );
    const answer = await answered(piece);
    if (answer instanceof Failure) return null;
    const [row] = answer;
    commits += row?.commits ?? 0;
    if (row?.more !== true || row.commits === 0) return commits;
  }
  return null;
}

/** `12 rows of public.orders.placed_at and 40 commits`. */
export function lostText({ rows, rowsOf, commits }: Lost): string {
  const told = [
    ...(rows === null ? [] : [`${rows} rows of ${rowsOf ?? ''}`]),
    ...(commits === null ? [] : [`${commits} commits of the whole server`]),
  ];
  return (
    told.join(' and ') ||
    'nobody can tell how much: the inventory names no column for the newest row, and the server keeps no time of its commits'
  );
}
