import type { NoReturn } from '../../control/contract.ts';
import type { Attempt, Effects } from '../attempt.ts';
import type { Migration } from '../replication/contract.ts';
import type { MigrationFacts } from '../replication/facts.ts';
import type { Sides } from '../replication/side.ts';
import { analyze } from './analyze.ts';
import type { PostgresActivities } from './contract.ts';
import { copySchema, removeSchema } from './copy-schema.ts';
import { preflight, type PreflightDependencies } from './preflight.ts';
import type { Servers } from './session.ts';

export interface PostgresDependencies extends PreflightDependencies {
  readonly servers: Servers;
  /** The facts that are stored under a digest. */
  facts(digest: string): Promise<MigrationFacts>;
  readonly noReturn: NoReturn;
}

/** The comparison is made apart. */
export function createPostgresActivities(deps: PostgresDependencies): Effects<Omit<PostgresActivities, 'compare'>> {
  const on =
    <Result>(verb: (sides: Sides, attempt: Attempt) => Promise<Result>) =>
    async (migration: Migration, attempt: Attempt): Promise<Result> =>
      await verb({ servers: deps.servers, migration, facts: await deps.facts(migration.facts) }, attempt);
  return {
    preflight: on((sides, attempt) => preflight(deps, sides, attempt)),
    copySchema: on((sides, attempt) => copySchema(sides, deps.tools, attempt)),
    removeSchema: on((sides, attempt) => removeSchema(sides, deps.noReturn, attempt)),
    analyze: on(analyze),
  };
}
