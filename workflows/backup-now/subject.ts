import type { OnInstance } from '../../activities/backup/contract.ts';

/** What every step around an instance is told. */
export function subject({ database, facts }: { database: string; facts: string }): OnInstance {
  return { database, facts };
}
