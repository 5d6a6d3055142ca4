import type { FenceFacts, FenceSide } from '../../replication/facts.ts';

/** What stands in the binding facts of a runbook that puts a restored copy in the place of the database in use. */
export interface SwitchingFacts {
  readonly live: FenceSide;
  /** null: the restored copy isn't there yet. */
  readonly copy: FenceSide | null;
  readonly pooler: FenceFacts['binding']['pooler'];
  /** The application's roles whose password the inventory's secrets have, without Steadyhand's own. Sorted. */
  readonly roles: readonly string[];
  /** By which the database in use, or the copy as soon as it is there, follows other servers. Sorted. */
  readonly subscriptions: readonly string[];
}

/** The stored facts of such a runbook; it may have others beside. */
export interface FactsOfSwitch {
  /** null: nothing is switched. */
  readonly binding: { readonly switching: SwitchingFacts | null };
}

/** What was written since a moment, as far as it can be told; null where it can't. */
export interface Lost {
  /** ISO 8601 in UTC; null when there is no moment to count from. */
  readonly since: string | null;
  /** Rows of the column by which the inventory tells the newest one. */
  readonly rows: number | null;
  /** That column, as `schema.table.column`. */
  readonly rowsOf: string | null;
  /** Of the whole server, where it keeps the time of its commits. */
  readonly commits: number | null;
}
