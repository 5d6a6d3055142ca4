import type { Effects } from '../attempt.ts';
import type { Servers } from '../postgres/session.ts';
import type { MigrationFacts } from '../replication/facts.ts';
import type { PoolingActivities } from './contract.ts';
import { removeAlias } from './remove-alias.ts';
import { tryAlias } from './try-alias.ts';

export interface PoolingDependencies {
  readonly servers: Servers;
  /** The facts that are stored under this digest. */
  facts(digest: string): Promise<MigrationFacts>;
}

export function createPoolingActivities(deps: PoolingDependencies): Effects<PoolingActivities> {
  return {
    tryAlias: (migration, attempt) => tryAlias(deps, migration, attempt),
    removeAlias: (migration, attempt) => removeAlias(deps, migration, attempt),
  };
}
