import type { OnInstance } from '../../activities/backup/contract.ts';

/** What every step is told: the instance stands in the facts. */
export function subject({ database, facts }: { database: string; facts: string }): OnInstance {
  return { database, facts };
}
