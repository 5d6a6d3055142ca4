import { createHash } from 'node:crypto';
import { anchorText, type Anchor } from '../domain/anchor.ts';
import type { Verification } from './contract.ts';
import type { Db } from './db.ts';

interface Link {
  seq: string;
  /** UTC with microseconds, as it was hashed. */
  at: string;
  run: string | null;
  kind: string;
  text: string;
  previous: string;
  hash: string;
}

const batch = 2_000;
const beginning = '0'.repeat(64);

/**
 * Walks the chain from its first row, in batches, computing every hash here and not in the database. Rows that are appended
 * meanwhile are walked too. With an anchor (a seq and hash that was kept elsewhere) a cut-off or rewritten end is found as well.
 */
export async function verifyEvents(db: Db, anchor?: Anchor): Promise<Verification> {
  let rows = 0;
  let head: string | null = null;
  const failed = (seq: number, what: string): Verification => ({ rows, head, anchor: null, bad: { seq, what } });
  for (;;) {
    const links = await db.query<Link>(
      `SELECT seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, run, kind, text, previous, hash
       FROM steadyhand.events WHERE seq > $1 ORDER BY seq LIMIT $2`,
      [rows, batch],
    );
    for (const link of links) {
      const what = wrong(link, rows + 1, head ?? beginning) ?? offAnchor(link, anchor);
      if (what !== null) return failed(Number(link.seq), what);
      rows += 1;
      head = link.hash;
    }
    if (links.length < batch) break;
  }
  if (anchor !== undefined && anchor.seq > rows) {
    return failed(rows + 1, `the anchor says that event ${anchor.seq} was there, the record ends with ${rows}: its end was cut off`);
  }
  return { rows, head, anchor: head === null ? null : anchorText({ seq: rows, hash: head }), bad: null };
}

/** What does not fit at this row, or null. */
function wrong(link: Link, seq: number, previous: string): string | null {
  if (Number(link.seq) !== seq) return `event ${seq} is missing: the event before this one has number ${seq - 1}`;
  if (link.previous !== previous) return `it does not continue event ${seq - 1}: one of the two was replaced`;
  if (link.hash !== hashOf(link)) return 'its time, run, kind or text was edited: its hash does not fit';
  return null;
}

function offAnchor(link: Link, anchor: Anchor | undefined): string | null {
  if (anchor === undefined || Number(link.seq) !== anchor.seq || link.hash === anchor.hash) return null;
  return `its hash is not the anchor's: the record up to here was rewritten`;
}

/** The same as steadyhand.event_hash of the first migration. */
function hashOf(link: Link): string {
  const covered = [link.previous, link.seq, link.at, link.run ?? '', link.kind, link.text].join('\n');
  return createHash('sha256').update(covered).digest('hex');
}
