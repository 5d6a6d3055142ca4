import type { Intent } from '../../control/contract.ts';
import type { Servers } from '../postgres/session.ts';
import type { MigrationFacts } from '../replication/facts.ts';

export interface PoolingDependencies {
  readonly servers: Servers;
  /** The facts that are stored under this digest. */
  facts(digest: string): Promise<MigrationFacts>;
  /** What the run has intended so far, oldest first. */
  journal(run: string): Promise<Intent[]>;
}
