import type { WorkOf } from '../work.ts';
import type { Migration } from '../replication/contract.ts';

/** Work on PostgreSQL servers that is not replication. */
export interface PostgresActivities {
  /** Every check of a migration's preflight, each with evidence and a fix. Raises `preflight-blocked` when one blocks. */
  preflight(migration: Migration): Promise<PreflightSummary>;
  /** pg_dump of the source's schema, pg_restore into the target. Journal: what was there before and what it makes. */
  copySchema(migration: Migration): Promise<{ objects: number }>;
  removeSchema(migration: Migration): Promise<void>;
  /** ANALYZE of the target and REFRESH of its materialised views. Nothing to undo. */
  analyze(migration: Migration): Promise<void>;
  /** Compares every row of every table, on the snapshot that the switch exported. Raises `data-differs`. */
  compare(migration: Migration): Promise<Comparison>;
}

export type { Finding } from '../../domain/finding.ts';

export interface PreflightSummary {
  readonly checks: number;
  readonly blocks: number;
  readonly warns: number;
  /** The findings are stored under this digest. */
  readonly findings: string;
}

export interface Comparison {
  readonly tables: number;
  readonly rowsCompared: number;
  readonly tablesDiffering: number;
  readonly sequencesBehind: number;
  /** `snapshot`: exact, on the state of the switch. `live`: rows that changed on the target since are passed over, counted here. */
  readonly method: 'snapshot' | 'live';
  readonly changedSince: number;
}

export const postgresWork: WorkOf<PostgresActivities> = {
  preflight: 'look',
  copySchema: 'long',
  removeSchema: 'change',
  analyze: 'long',
  compare: 'long',
};
