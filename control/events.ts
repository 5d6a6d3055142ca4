import type { Actor, EventRow, Events } from './contract.ts';
import { canonical } from '../domain/digest.ts';
import type { Db } from './db.ts';
import { eventText } from './event-text.ts';
import { createVerifier } from './verify.ts';

interface StoredEvent {
  seq: string;
  at: string;
  run: string | null;
  kind: string;
  /** Parsed by the server's cast: { actor, data }. */
  content: { actor: Actor; data: Readonly<Record<string, unknown>> };
}

/**
 * The audit as a stream. Appending is never idempotent: what happens twice is recorded twice. What may read much of the record has the
 * connections of `audit`; the pages of one run, and those that come after a `seq`, are read by their index.
 */
export function createEvents(db: Db, audit: Db): Events {
  return {
    append: async ({ run, kind, actor, data }) => {
      const text = eventText(actor, data);
      const row = await db.one<{ seq: string }>('SELECT steadyhand.append_event($1, $2, $3) AS seq', [run ?? null, kind, text]);
      return Number(row.seq);
    },
    // The numbers first: where an index has all that is asked for, only the rows of the page are read.
    list: async ({ run, kind, actor, since, until, after, limit }) => {
      const searches = run === undefined && [kind, actor, since, until].some((one) => one !== undefined);
      const rows = await (searches ? audit : db).query<StoredEvent>(
        `SELECT seq, steadyhand.iso(at) AS at, run, kind, text::json AS content FROM steadyhand.events
         WHERE seq IN (SELECT seq FROM steadyhand.events
           WHERE seq > $1 AND ($2::text IS NULL OR run = $2) AND ($4::text IS NULL OR kind = $4)
             AND ($5::text IS NULL OR steadyhand.actor_of(text) = left($5, 300))
             AND ($6::timestamptz IS NULL OR at >= $6) AND ($7::timestamptz IS NULL OR at < $7)
           ORDER BY seq LIMIT $3)
         ORDER BY seq`,
        [after ?? 0, run ?? null, limit, kind ?? null, actor === undefined ? null : inText(actor), since ?? null, until ?? null],
      );
      return rows.map(eventRow);
    },
    last: async () => Number((await db.one<{ last: string }>('SELECT coalesce(max(seq), 0) AS last FROM steadyhand.events')).last),
    verify: createVerifier(audit),
  };
}

/** As it is in the text of an event, between the quotes. */
function inText(name: string): string {
  return canonical(name.toWellFormed()).slice(1, -1);
}

function eventRow(stored: StoredEvent): EventRow {
  const { at, run, kind, content } = stored;
  return { seq: Number(stored.seq), at, run, kind, actor: content.actor, data: content.data };
}
