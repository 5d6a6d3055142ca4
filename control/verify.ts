import { hash } from 'node:crypto';
import { anchorText, type Anchor } from '../domain/anchor.ts';
import type { Events, Verification } from './contract.ts';
import type { Db } from './db.ts';

/** A row of the record: its number, the hash before it, its own hash, and what that covers beside the hash before it. */
type Link = readonly [seq: string, previous: string, hash: string, covered: string];

/** How far the record was verified, in the memory of this process: who can write to the control database can't move it. */
interface Position {
  readonly rows: number;
  readonly head: string;
  /** When the walk began that read the record from its first row. */
  readonly since: number;
}

interface Walk {
  /** The number of the first row that was read. */
  readonly from: number;
  readonly rows: number;
  readonly head: string | null;
  readonly bad: Verification['bad'];
}

const batch = 2_000;
const beginning = '0'.repeat(64);
const positionLastsMs = 24 * 3_600_000;

/** The covered text has the same lines as steadyhand.event_hash of the first migration. */
const linksQuery = `
  SELECT seq, previous, hash,
    concat_ws(E'\\n', seq::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), coalesce(run, ''), kind, text)
  FROM steadyhand.events WHERE seq > $1 ORDER BY seq LIMIT ${batch}`;

/**
 * Verifies the record. One walk is under way at a time: who asks meanwhile shares it, unless it began further on than they ask for;
 * then theirs is the next one.
 */
export function createVerifier(db: Db, now: () => number = Date.now): Events['verify'] {
  let underWay: { readonly full: boolean; readonly result: Promise<Walk> } | undefined;
  let position: Position | undefined;
  const walkFrom = async (begin: Position | undefined): Promise<Walk> => {
    const since = begin?.since ?? now();
    position = undefined;
    const walked = await walk(db, begin);
    if (walked.bad === null && walked.head !== null) position = { rows: walked.rows, head: walked.head, since };
    return walked;
  };
  const walkOnce = async (further: boolean): Promise<Walk> => {
    while (underWay !== undefined && !underWay.full && !further) await underWay.result.catch(() => undefined);
    if (underWay !== undefined) return await underWay.result;
    const begin = further && position !== undefined && now() - position.since < positionLastsMs ? position : undefined;
    const before = position;
    const result = walkFrom(begin).catch((error: unknown) => {
      // The control database did not answer: what was verified before stays so.
      position = before;
      throw error;
    });
    underWay = { full: begin === undefined, result };
    try {
      return await result;
    } finally {
      underWay = undefined;
    }
  };
  return async ({ anchor, further = false } = {}) => await withAnchor(db, await walkOnce(further), anchor);
}

/**
 * Reads the rows in batches and computes every hash here and not in the database. Rows that are appended meanwhile are read too. The
 * next batch is on its way while one is computed.
 */
async function walk(db: Db, begin: Position | undefined): Promise<Walk> {
  let { rows, head } = begin ?? { rows: 0, head: beginning };
  const from = rows + 1;
  const walked = (bad: Walk['bad']): Walk => ({ from, rows, head: rows === 0 ? null : head, bad });
  if (begin !== undefined && (await hashesFrom(db, rows, rows)).get(rows) !== head) {
    return {
      from: rows,
      rows: rows - 1,
      head: null,
      bad: { seq: rows, what: 'its hash is not the one that was verified before: it was rewritten' },
    };
  }
  const read = async (after: string): Promise<Link[]> => await db.arrays<Link>(linksQuery, [after]);
  let next = read(String(rows));
  for (;;) {
    const links = await next;
    const last = links.length < batch ? undefined : links.at(-1);
    if (last !== undefined) {
      next = read(last[0]);
      // Awaited above, unless a bad row ends the walk before.
      next.catch(() => undefined);
    }
    for (const link of links) {
      const what = wrong(link, rows + 1, head);
      if (what !== null) return walked({ seq: Number(link[0]), what });
      rows += 1;
      head = link[2];
    }
    if (last === undefined) return walked(null);
  }
}

/** What does not fit at this row, or null. */
function wrong([at, previous, own, covered]: Link, seq: number, head: string): string | null {
  if (Number(at) !== seq) return `event ${seq} is missing: the event before this one has number ${seq - 1}`;
  if (previous !== head) return `it does not continue event ${seq - 1}: one of the two was replaced`;
  if (own !== hash('sha256', `${previous}\n${covered}`, 'hex')) return 'its time, run, kind or text was edited: its hash does not fit';
  return null;
}

/** The rows fit each other; whether they are those of the anchor is one look. The first row that is bad counts. */
async function withAnchor(db: Db, { from, rows, head, bad }: Walk, anchor: Anchor | undefined): Promise<Verification> {
  const failed = (seq: number, what: string, before = { rows, head }): Verification => ({
    from,
    ...before,
    anchor: null,
    bad: { seq, what },
  });
  if (anchor !== undefined && anchor.seq <= rows) {
    const hashes = await hashesFrom(db, anchor.seq - 1, anchor.seq);
    const before = { rows: anchor.seq - 1, head: hashes.get(anchor.seq - 1) ?? null };
    if (hashes.get(anchor.seq) !== anchor.hash) {
      return failed(anchor.seq, "its hash is not the anchor's: the record up to here was rewritten", before);
    }
  }
  if (bad !== null) return failed(bad.seq, bad.what);
  if (anchor !== undefined && anchor.seq > rows) {
    return failed(rows + 1, `the anchor says that event ${anchor.seq} was there, the record ends with ${rows}: its end was cut off`);
  }
  return { from, rows, head, anchor: head === null ? null : anchorText({ seq: rows, hash: head }), bad: null };
}

async function hashesFrom(db: Db, first: number, last: number): Promise<Map<number, string>> {
  const found = await db.arrays<readonly [string, string]>('SELECT seq, hash FROM steadyhand.events WHERE seq BETWEEN $1 AND $2', [
    first,
    last,
  ]);
  return new Map(found.map(([seq, stored]) => [Number(seq), stored]));
}
