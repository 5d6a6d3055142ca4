import type { Migration } from '../../activities/replication/contract.ts';

/** How long the session that exported the snapshot of the switch keeps it for the comparison. */
const snapshotMs = 3_600_000;

/** What every step of a migration is told. The input is the parsed one. */
export function subject(told: {
  database: string;
  input: Pick<Migration, 'target' | 'schema' | 'triggers' | 'otherSubscribers' | 'leave'> & { lagBytes: number; pauseMs: number };
  facts: string;
}): Migration {
  const { lagBytes, pauseMs, ...chosen } = told.input;
  return { source: told.database, ...chosen, facts: told.facts, limits: { lagBytes, pauseMs, snapshotMs } };
}
