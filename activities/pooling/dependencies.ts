import type { Servers } from '../postgres/session.ts';
import type { MigrationFacts } from '../replication/facts.ts';

export interface PoolingDependencies {
  readonly servers: Servers;
  /** The facts that are stored under this digest. */
  facts(digest: string): Promise<MigrationFacts>;
}
