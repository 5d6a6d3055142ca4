import { randomUUID } from 'node:crypto';
import { runNameOf } from '../domain/run.ts';
import type { Request, Requests } from './contract.ts';
import { asJson, type Db } from './db.ts';
import { eventText } from './event-text.ts';

export function createRequests(db: Db): Requests {
  return {
    create: async (request) => {
      const id = randomUUID();
      const ulid = runNameOf(request.run).id;
      const { run, runbook, version, risk, database, input, requester, channel, ticket, bodyDigest } = request;
      const text = eventText(
        { kind: 'person', name: requester, channel },
        { request: id, runbook, version, risk, database, input, ticket: ticket ?? null, bodyDigest },
      );
      const asked = asJson({ ...request, run, id, ulid });
      const { result } = await db.one<{ result: { created: boolean; request: Request } }>(
        'SELECT steadyhand.create_request($1, $2) AS result',
        [asked, text],
      );
      return result;
    },
    find: async (id) => (await db.query<Request>('SELECT * FROM steadyhand.request_rows WHERE id = $1', [id]))[0] ?? null,
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
  };
}
