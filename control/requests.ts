import { randomUUID } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import { runNameOf } from '../domain/run.ts';
import type { Delayed, NewRequest, OpenRun, Request, Requests } from './contract.ts';
import { asJson, type Db } from './db.ts';
import { eventText, told } from './event-text.ts';
import { mostOpenRuns } from './open-runs.ts';

export function createRequests(db: Db): Requests {
  return {
    create: async (request) => {
      const { result } = await db.one<{ result: { created: boolean; request: Request } }>(
        'SELECT steadyhand.request_run($1, $2, $3) AS result',
        requestParameters(request),
      );
      return result;
    },
    admit: async (request) => {
      const { result } = await db.one<{ result: { created: boolean; request: Request; others: OpenRun[] } }>(
        'SELECT steadyhand.admit_request($1, $2, $3, $4) AS result',
        [...requestParameters(request), mostOpenRuns],
      );
      return result;
    },
    find: async (id) => (await db.query<Request>('SELECT * FROM steadyhand.request_rows WHERE id = $1', [id]))[0] ?? null,
    repeated: async ({ requester, idempotencyKey, bodyDigest }) => {
      const [known] = await db.query<Request & { digest: string; requestedAt: string }>(
        `SELECT v.*, q.body_digest AS digest, steadyhand.iso(q.requested_at) AS "requestedAt"
         FROM steadyhand.requests q JOIN steadyhand.request_rows v ON v.id = q.id WHERE q.requester = $1 AND q.idempotency_key = $2`,
        [requester, idempotencyKey],
      );
      if (known === undefined) return null;
      const { digest, requestedAt, ...request } = known;
      if (digest === bodyDigest) return request;
      const what = `the key was used on ${requestedAt} for the run ${request.run}, with another request`;
      throw new Failure('idempotency-key-reused', what, { run: request.run });
    },
    started: async (id) => {
      await db.query('UPDATE steadyhand.requests SET started_at = now() WHERE id = $1 AND started_at IS NULL', [id]);
    },
    unstarted: (olderThanMs) =>
      db.query<Request>(
        `SELECT v.* FROM steadyhand.request_rows v JOIN steadyhand.requests q ON q.id = v.id JOIN steadyhand.runs r ON r.request = q.id
         WHERE q.started_at IS NULL AND r.state <> 'closed' AND q.requested_at <= now() - $1::float8 * interval '1 millisecond'
         ORDER BY q.requested_at, q.id`,
        [olderThanMs],
      ),
    delayed: async (olderThanMs) =>
      (
        await db.query<Delayed>(
          `SELECT count(*)::int AS count, steadyhand.iso(min(q.requested_at)) AS since,
             (array_agg(r.failure->>'message' ORDER BY q.requested_at) FILTER (WHERE r.failure IS NOT NULL))[1] AS because
           FROM steadyhand.requests q JOIN steadyhand.runs r ON r.request = q.id
           WHERE q.started_at IS NULL AND r.state <> 'closed' AND q.requested_at <= now() - $1::float8 * interval '1 millisecond'
           HAVING count(*) > 0`,
          [olderThanMs],
        )
      )[0] ?? null,
  };
}

/** The row, its event, and the event of break-glass when that is used. */
function requestParameters(request: NewRequest): (string | null)[] {
  const { runbook, version, risk, database, input, requester, kind = 'person', channel, ticket, bodyDigest, waitMs, breakGlass } = request;
  const id = randomUUID();
  const actor = { kind, name: requester, channel };
  const waits = waitMs === undefined ? {} : { waitMs };
  const data = { request: id, runbook, version, risk, database, input, ticket: ticket ?? null, bodyDigest, ...waits };
  // The input is bound by its digest and stays what it is; a ticket is a text that somebody typed.
  const typed = {
    ...(ticket === undefined ? {} : { ticket: told(ticket) }),
    ...(breakGlass === undefined ? {} : { breakGlass: told(breakGlass) }),
  };
  return [
    asJson({ ...request, ...typed, id, ulid: runNameOf(request.run).id }),
    eventText(actor, data),
    breakGlass === undefined ? null : eventText(actor, { reason: breakGlass }),
  ];
}
