import type { Effects } from '../attempt.ts';
import type { PoolingActivities } from './contract.ts';
import type { PoolingDependencies } from './dependencies.ts';
import { removeAlias } from './remove-alias.ts';
import { tryAlias } from './try-alias.ts';

export function createPoolingActivities(deps: PoolingDependencies): Effects<PoolingActivities> {
  return {
    tryAlias: (migration, attempt) => tryAlias(deps, migration, attempt),
    removeAlias: (migration, attempt) => removeAlias(deps, migration, attempt),
  };
}
