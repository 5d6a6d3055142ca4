import type { OpenRun } from './contract.ts';
import type { Db } from './db.ts';

/** A database may have hundreds of runs in its queue: people need to see the first ones. */
export const mostOpenRuns = 10;

/** The open runs of these databases: those that hold a lease come first, then the oldest. */
export async function openRunsOn(db: Db, databases: readonly string[], but: string | undefined): Promise<OpenRun[]> {
  return await db.query<OpenRun>('SELECT * FROM steadyhand.open_runs_on($1, $2, $3)', [databases, but ?? null, mostOpenRuns]);
}
