import { Failure } from '../domain/failure.ts';
import type { InLine, LeaseLine, LeaseRow, Leases } from './contract.ts';
import { asJson, type Db } from './db.ts';
import type { EventKind } from './event-kinds.ts';
import { engine, eventText } from './event-text.ts';

type Seen = Pick<LeaseRow, 'holder' | 'epoch' | 'state'> & {
  /** What the holder has made and not undone, a line each: `<step>: <key>`. */
  readonly left: readonly string[];
  /** The same with the steps' titles, for people. */
  readonly titled: readonly string[];
};
type IsOpen = (run: string) => Promise<boolean>;

const nobody: Seen = { holder: '', epoch: 0, state: 'free', left: [], titled: [] };
/** Each round is lost only to somebody who changed the lease meanwhile. */
const rounds = 10;

export function createLeases(db: Db): Leases {
  return {
    take: (database, run, holderOpen) => untilDone(database, (seen) => takeOnce(db, database, run, seen, holderOpen)),
    find: async (database) => (await db.query<LeaseRow>('SELECT * FROM steadyhand.lease_rows WHERE database = $1', [database]))[0] ?? null,
    list: () =>
      db.query<LeaseLine>(
        `SELECT l.*, coalesce(line.waiting, 0) AS waiting,
           CASE l.state WHEN 'held' THEN 'the run is ' || r.state
             WHEN 'orphaned' THEN concat_ws('; ', r.because, 'left: ' || (SELECT string_agg(i.step, ', ') FROM steadyhand.left_behind(r.run) i))
             ELSE (SELECT format('the turn of %s, which %s', f ->> 'run', coalesce('asks: ' || (f ->> 'asks'), 'is ' || (f ->> 'state')))
               FROM steadyhand.first_in_line(l.database) f WHERE line.waiting > 0)
           END AS why
         FROM steadyhand.lease_rows l LEFT JOIN steadyhand.runs r ON r.run = l.holder
         LEFT JOIN (SELECT w.database, count(*)::int AS waiting FROM steadyhand.line_rows w WHERE w.queued AND NOT w.late
           GROUP BY w.database) line ON line.database = l.database
         ORDER BY l.database`,
      ),
    line: (database) =>
      db.query<InLine>(
        `SELECT run, queued, steadyhand.iso(deadline) AS deadline, late, started FROM steadyhand.line_rows
         WHERE database = $1 ORDER BY place`,
        [database],
      ),
    release: async (database, by, reason, holderOpen) => {
      await untilDone(database, async (seen) => {
        if (seen === nobody) throw new Failure('not-found', `nobody ever took a lease of ${database}`, { database });
        if (seen.state === 'free') return true;
        if (seen.state === 'held' && (await holderOpen(seen.holder))) {
          throw new Failure('conflict', `the lease of ${database} is held by ${seen.holder}, which is still open: cancel that run first`, {
            database,
            holder: seen.holder,
          });
        }
        const text = eventText(by, { database, epoch: seen.epoch, reason, left: seen.left });
        return (await settle(db, database, seen, 'free', 'lease.released', text)) ? true : null;
      });
    },
  };

  /** Looks and tries until a try was not overtaken. */
  async function untilDone<Result>(database: string, attempt: (seen: Seen) => Promise<Result | null>): Promise<Result> {
    for (let round = 0; round < rounds; round += 1) {
      const result = await attempt(await look(db, database));
      if (result !== null) return result;
    }
    throw new Failure('conflict', `the lease of ${database} changes hands too often; try again`, { database });
  }
}

async function look(db: Db, database: string): Promise<Seen> {
  const [row] = await db.query<Seen>(
    `SELECT l.holder, l.epoch, l.state,
       (SELECT coalesce(json_agg(i.step || ': ' || i.key), '[]') FROM steadyhand.left_behind(l.holder) i) AS "left",
       (SELECT coalesce(json_agg(coalesce(s.title, i.step) || ': ' || i.key), '[]') FROM steadyhand.left_behind(l.holder) i
        LEFT JOIN steadyhand.steps s ON s.run = l.holder AND s.id = i.step) AS titled
     FROM steadyhand.leases l WHERE l.database = $1`,
    [database],
  );
  return row ?? nobody;
}

/** The epoch, or null when somebody else changed the lease after it was looked at. */
async function takeOnce(db: Db, database: string, run: string, seen: Seen, holderOpen: IsOpen): Promise<{ epoch: number } | null> {
  if (seen.holder === run && seen.state === 'held') return { epoch: seen.epoch };
  const passedOver = seen.state === 'held';
  if (passedOver && (await holderOpen(seen.holder))) {
    throw new Failure('lease-held', `the lease of ${database} is held by ${seen.holder}`, { database, holder: seen.holder });
  }
  if (passedOver && seen.left.length > 0) {
    const text = eventText(engine, { database, epoch: seen.epoch, left: seen.left });
    await settle(db, database, seen, 'orphaned', 'lease.orphaned', text);
    return null;
  }
  // A run that was reset after its lease was orphaned goes on with it: it knows what it left.
  if (seen.state === 'orphaned' && seen.holder !== run) throw orphaned(database, seen);
  const epoch = seen.state === 'orphaned' ? seen.epoch : seen.epoch + 1;
  const { taken } = await db.one<{ taken: boolean }>('SELECT steadyhand.take_lease($1, $2, $3, $4, $5) AS taken', [
    database,
    run,
    asJson(seen),
    passedOver ? eventText(engine, { database, epoch: seen.epoch }) : null,
    eventText(engine, { database, epoch }),
  ]);
  return taken ? { epoch } : null;
}

async function settle(db: Db, database: string, seen: Seen, state: LeaseRow['state'], kind: EventKind, text: string): Promise<boolean> {
  const row = await db.one<{ settled: boolean }>('SELECT steadyhand.settle_lease($1, $2, $3, $4, $5) AS settled', [
    database,
    asJson(seen),
    state,
    kind,
    text,
  ]);
  return row.settled;
}

function orphaned(database: string, seen: Seen): Failure {
  const list = seen.titled.length > 0 ? `; it left: ${seen.titled.join(', ')}` : '';
  return new Failure('lease-orphaned', `${seen.holder} ended without giving back the lease of ${database}${list}`, {
    database,
    holder: seen.holder,
    left: seen.left,
  });
}
