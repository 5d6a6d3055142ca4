import type { Accident } from '../../domain/accident.ts';
import { qualified } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import { redact } from '../../domain/redaction.ts';
import type { VerificationRules } from '../../domain/verification.ts';
import type { Servers } from '../postgres/session.ts';
import type { Logs } from '../providers/provider.ts';
import { findMoment } from './find-moment.ts';
import { removalsIn, type LoggedRemoval } from './log-moments.ts';

/** The moment before it, and how that was found. Moments are ISO 8601 in UTC. */
export interface FoundAccident {
  readonly binding: {
    readonly accident: Accident;
    /** The last whole second at which the rows were there. */
    readonly moment: string;
    readonly removedAt: string;
    readonly by: 'log' | 'commit-timestamps';
    /** As the log has it, at most 200 characters; null where only the time of its commit is known. */
    readonly statement: string | null;
  };
  readonly observed: {
    readonly lastCommit: string | null;
    /** What a second earlier costs; null when nothing tells. */
    readonly perSecond: number | null;
    readonly counted: 'commits' | 'rows' | null;
    /** Other statements of that kind that name the table, at most five. */
    readonly others: readonly string[];
  };
}

interface Search {
  readonly servers: Servers;
  readonly logs: Logs;
  readonly database: string;
  readonly accident: Accident;
  /** What came later is none that the run was asked for: ISO 8601. */
  readonly until: string;
  readonly newestRow: VerificationRules['newestRow'];
}

const hourMs = 3_600_000;
const withoutAboutMs = 24 * hourMs;

const verbs = { dropped: 'DROP', truncated: 'TRUNCATE', deleted: 'DELETE' } as const;

/**
 * The moment before a table was dropped, truncated or deleted from: by the server's log, of an hour around `about`, else of the last
 * day, the newest first; for a TRUNCATE by the time of its commit, too. Reads only. Raises `plan-impossible`, saying what would help,
 * when nothing tells, and `input-invalid` for an `about` that is no moment.
 */
export async function findAccident(search: Search): Promise<FoundAccident> {
  const { servers, database, accident, newestRow } = search;
  const seen = await logged(search);
  const removal = chosen(seen, accident);
  const found = await findMoment(servers, {
    database,
    table: accident.table,
    ...(removal ? { removal } : { truncated: accident.what === 'truncated' }),
    newestRow,
  }).catch((error: unknown) => {
    throw error instanceof Failure && error.code === 'plan-impossible' ? nothingTells(search) : error;
  });
  if (Date.parse(found.removedAt) >= Date.parse(search.until)) throw nothingTells(search);
  return {
    binding: { accident, moment: found.wholeSecond, removedAt: found.removedAt, by: found.by, statement: found.statement ?? null },
    observed: {
      lastCommit: found.lastCommit,
      perSecond: found.perSecond,
      counted: found.counted,
      others: seen
        .filter((one) => one !== removal)
        .map(({ at, statement }) => `${at}: ${redact(statement)}`)
        .slice(-5),
    },
  };
}

/** Those of the time that is searched, in its order; without `about` those of the newest file that has any. */
async function logged({ logs, database, accident, until }: Search): Promise<LoggedRemoval[]> {
  const { from, to } = searched(accident, until);
  const found: LoggedRemoval[] = [];
  for await (const text of logs.read(database, { from, to })) {
    const fit = removalsIn(text, accident.table).filter(
      ({ at, verb }) => verb === verbs[accident.what] && Date.parse(at) >= from.getTime() && Date.parse(at) < to.getTime(),
    );
    found.unshift(...fit);
    if (found.length > 0 && accident.about === undefined) break;
  }
  return found;
}

function searched({ about }: Accident, until: string): { from: Date; to: Date } {
  const last = new Date(until);
  if (about === undefined) return { from: new Date(last.getTime() - withoutAboutMs), to: last };
  const around = Date.parse(about);
  if (Number.isNaN(around) || !/(?:Z|[+-]\d{2}:?\d{2})$/i.test(about.trim())) {
    throw new Failure('input-invalid', `"${about}" (before.about) is no moment with a time zone, such as 2026-11-21T18:04:05Z`, { about });
  }
  return { from: new Date(around - hourMs), to: new Date(Math.min(around + hourMs, last.getTime())) };
}

/** The nearest to what people remember, else the last one. */
function chosen(seen: readonly LoggedRemoval[], { about }: Accident): LoggedRemoval | undefined {
  if (about === undefined) return seen.at(-1);
  const far = ({ at }: LoggedRemoval): number => Math.abs(Date.parse(at) - Date.parse(about));
  return seen.toSorted((one, other) => far(one) - far(other))[0];
}

function nothingTells({ database, accident, until }: Search): Failure {
  const { from, to } = searched(accident, until);
  const setting = accident.what === 'dropped' ? 'log_statement = ddl' : 'log_statement = mod';
  const where = `the log of ${database} from ${from.toISOString()} to ${to.toISOString()}`;
  return new Failure(
    'plan-impossible',
    `nothing tells when ${qualified(accident.table)} was ${said[accident.what]}: ${where} has no such statement; the server writes them ` +
      `with ${setting}. Say about when it was (before.about), or name the moment itself: -i moment=2026-11-21T18:04:05Z`,
    { database, ...accident.table },
  );
}

const said: Readonly<Record<Accident['what'], string>> = { dropped: 'dropped', truncated: 'truncated', deleted: 'deleted from' };
