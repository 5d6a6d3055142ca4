import type { OpenRun } from './contract.ts';
import type { Db } from './db.ts';

/** A database may have hundreds of runs in its queue: people need to see the first ones. */
const most = 10;

/** The open runs of these databases: those that hold a lease come first, then the oldest. */
export async function openRunsOn(db: Db, databases: readonly string[], but: string | undefined): Promise<OpenRun[]> {
  return await db.query<OpenRun>(
    `SELECT r.run, r.state, bool_or(found.holds) AS holds
     FROM (
       SELECT holder AS run, true AS holds FROM steadyhand.leases WHERE database = ANY ($1) AND state = 'held'
       UNION ALL
       (SELECT run, false FROM steadyhand.runs WHERE database = ANY ($1) AND state <> 'closed' ORDER BY id LIMIT $3 + 1)
     ) found JOIN steadyhand.runs r ON r.run = found.run
     WHERE r.state <> 'closed' AND r.run IS DISTINCT FROM $2
     GROUP BY r.run, r.state, r.id ORDER BY holds DESC, r.id LIMIT $3`,
    [databases, but ?? null, most],
  );
}
