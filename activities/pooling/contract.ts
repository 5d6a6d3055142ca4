import type { WorkOf } from '../work.ts';
import type { Migration } from '../replication/contract.ts';

/** Work on connection poolers. */
export interface PoolingActivities {
  /**
   * Adds an alias for the target to the pooler and, as each of the application's users, takes the locks of a write there in a
   * transaction that is rolled back: proves pg_hba, passwords, TLS and grants. Then the alias is removed again.
   */
  tryAlias(migration: Migration): Promise<{ users: number }>;
  removeAlias(migration: Migration): Promise<void>;
}

export const poolingWork: WorkOf<PoolingActivities> = {
  tryAlias: 'change',
  removeAlias: 'change',
};
