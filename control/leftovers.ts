import type { Leftover, Leftovers } from './contract.ts';
import { asJson, type Db } from './db.ts';
import { eventText, tellingJson } from './event-text.ts';

const columns = 'run, database, input, outcome, because, "closedAt", plan, lease, leases, "noReturn", intents';

export function createLeftovers(db: Db): Leftovers {
  return {
    list: () => db.query<Leftover>(`SELECT ${columns} FROM steadyhand.leftover_rows ORDER BY "closedAt", run`),
    find: async (run) => (await db.query<Leftover>(`SELECT ${columns} FROM steadyhand.leftover_rows WHERE run = $1`, [run]))[0] ?? null,
    changedSince: async ({ run, closedAt }, databases) => {
      const rows = await db.query<{ run: string }>(
        `SELECT r.run FROM steadyhand.runs r
         WHERE r.run <> $1 AND (r.database = ANY($3) OR EXISTS (SELECT FROM json_each_text(r.input) field WHERE field.value = ANY($3)))
           AND EXISTS (SELECT FROM steadyhand.attempts a WHERE a.run = r.run AND a.intended_at > $2::timestamptz) ORDER BY r.id`,
        [run, closedAt, databases],
      );
      return rows.map((row) => row.run);
    },
    cleared: async ({ run, databases, asked, by, reason, left, because }) => {
      await db.query('SELECT steadyhand.clear_run($1, $2, $3, $4, $5)', [
        run,
        asked,
        tellingJson(left),
        asJson(Object.fromEntries(databases.map((database) => [database, eventText(by, { database, reason, left })]))),
        eventText(by, { asked, left, ...(because === undefined ? {} : { because }) }),
      ]);
    },
  };
}
