import type { NoReturn } from '../../../control/contract.ts';
import type { PoolerEntry } from '../../../domain/inventory.ts';
import type { Attempt } from '../../attempt.ts';
import type { Servers } from '../../postgres/session.ts';
import type { Migration } from '../contract.ts';
import type { MigrationFacts } from '../facts.ts';
import type { Budget } from './budget.ts';
import type { JournalOf } from './other-fences.ts';

export interface SwitchDependencies {
  readonly servers: Servers;
  /** The facts that are stored under this digest. */
  facts(digest: string): Promise<MigrationFacts>;
  readonly noReturn: NoReturn;
  readonly journalOf: JournalOf;
}

/** One attempt at the switch. */
export interface Switch extends SwitchDependencies {
  readonly migration: Migration;
  readonly attempt: Attempt;
  readonly planned: MigrationFacts;
  readonly pooler: PoolerEntry | undefined;
  readonly budget: Budget;
}
