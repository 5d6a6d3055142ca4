import type { NoReturn } from '../../control/contract.ts';
import type { Attempt, Effects } from '../attempt.ts';
import type { Servers } from '../postgres/session.ts';
import { catchUp } from './catch-up.ts';
import type { Migration, ReplicationActivities } from './contract.ts';
import type { MigrationFacts } from './facts.ts';
import { freezeDdl, thawDdl } from './freeze-ddl.ts';
import { holdTriggers, releaseTriggers } from './hold-triggers.ts';
import { initialCopy } from './initial-copy.ts';
import { publish, unpublish } from './publish.ts';
import { retire } from './retire.ts';
import type { Sides } from './side.ts';
import { subscribe } from './subscribe.ts';
import { carrySubscribers, dropCarried } from './subscribers/carry.ts';
import { unsubscribe } from './unsubscribe.ts';

export interface ReplicationDependencies {
  readonly servers: Servers;
  /** The facts that are stored under a digest. */
  facts(digest: string): Promise<MigrationFacts>;
  readonly noReturn: NoReturn;
}

/** The verbs of the switch are made apart. */
type Here = Omit<ReplicationActivities, 'closeTarget' | 'reopenTarget' | 'gate' | 'switchOver' | 'switchBack'>;

export function createReplicationActivities({ servers, facts, noReturn }: ReplicationDependencies): Effects<Here> {
  const on =
    <Result>(verb: (sides: Sides, attempt: Attempt) => Promise<Result>) =>
    async (migration: Migration, attempt: Attempt): Promise<Result> =>
      await verb({ servers, migration, facts: await facts(migration.facts) }, attempt);
  return {
    freezeDdl: on(freezeDdl),
    thawDdl: on(thawDdl),
    holdTriggers: on(holdTriggers),
    releaseTriggers: on((sides, attempt) => releaseTriggers(sides, noReturn, attempt)),
    publish: on(publish),
    unpublish: on(unpublish),
    subscribe: on(subscribe),
    unsubscribe: on((sides, attempt) => unsubscribe(sides, noReturn, attempt)),
    initialCopy: on(initialCopy),
    catchUp: on(catchUp),
    carrySubscribers: on(carrySubscribers),
    dropCarried: on((sides, attempt) => dropCarried(sides, noReturn, attempt)),
    retire: on((sides, attempt) => retire(sides, noReturn, attempt)),
  };
}
