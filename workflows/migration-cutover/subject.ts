import type { Migration } from '../../activities/replication/contract.ts';

/** How long the session that exported the snapshot of the switch keeps it for the comparison. */
const snapshotMs = 3_600_000;

/** What every step of a migration is told. The input is the parsed one. */
export function subject(told: {
  database: string;
  input: { target: string; schema: 'copy' | 'already-there'; triggers: 'refuse' | 'hold'; lagBytes: number; pauseMs: number };
  facts: string;
}): Migration {
  const { target, schema, triggers, lagBytes, pauseMs } = told.input;
  return { source: told.database, target, schema, triggers, facts: told.facts, limits: { lagBytes, pauseMs, snapshotMs } };
}
