import type { WorkOf } from '../work.ts';

/** What every step of a migration is told: small, since it stands in the run's history. The facts stand in the control database. */
export interface Migration {
  /** The database of the inventory that moves. */
  readonly source: string;
  /** The database of the inventory that it moves to. */
  readonly target: string;
  readonly schema: 'copy' | 'already-there';
  /** What becomes of triggers that would fire on the target for each change that is applied. */
  readonly triggers: 'refuse' | 'hold';
  /** What happens to those who receive the source's changes: nothing is begun, they get slots on the target, or they are left behind. */
  readonly otherSubscribers: 'refuse' | 'carry' | 'leave';
  /** Tables, as `schema.name`, whose rows people have chosen to leave on the source. */
  readonly leave: readonly string[];
  /** Digest of the facts that the plan was made from. */
  readonly facts: string;
  readonly limits: MigrationLimits;
}

export interface MigrationLimits {
  /** Bytes of WAL that the target may be behind when the switch begins. */
  readonly lagBytes: number;
  /** Milliseconds that writes may be held up by the switch; over it the old side serves again. */
  readonly pauseMs: number;
  /** Milliseconds that the exporting session keeps the snapshot of the switch for the comparison. */
  readonly snapshotMs: number;
}

/**
 * Logical replication between any two servers, and the switch. Everything made on a server carries the run's tag
 * (`steadyhand_<ulid>`): publication, subscription and slot have it as their name.
 */
export interface ReplicationActivities {
  /** Stops DDL on the source (event triggers on ddl_command_end and sql_drop that raise). Repeats safely: adopted by tag. */
  freezeDdl(migration: Migration): Promise<void>;
  thawDdl(migration: Migration): Promise<void>;
  /** `ALTER DATABASE … CONNECTION LIMIT 0` on the target, so that nobody writes there before the switch. Journal: the old limit. */
  closeTarget(migration: Migration): Promise<void>;
  reopenTarget(migration: Migration): Promise<void>;
  /** On the target, disables what would fire when replication writes there, until the cutover. */
  holdTriggers(migration: Migration): Promise<{ triggers: number }>;
  releaseTriggers(migration: Migration): Promise<void>;
  /** The publication of exactly the tables of the facts, on the source. */
  publish(migration: Migration): Promise<void>;
  unpublish(migration: Migration): Promise<void>;
  /** The subscription on the target, which starts the initial copy. Its undo also drops the slots and empties the tables. */
  subscribe(migration: Migration): Promise<void>;
  unsubscribe(migration: Migration): Promise<void>;
  /** Waits until every table is copied; progress in rows, bytes, rate and time left. `not-yet` with the next look in 2 s. */
  initialCopy(migration: Migration): Promise<{ tables: number; bytes: number }>;
  /** Waits until the target is less than the limit behind and reaches a marker. */
  catchUp(migration: Migration): Promise<{ lagBytes: number; markerMs: number }>;
  /** Waits until both sides are quiet enough for the switch. */
  gate(migration: Migration): Promise<{ lagBytes: number }>;
  /** Publications and slots on the target for the source's other subscribers. Journal: those that were absent. */
  carrySubscribers(migration: Migration): Promise<void>;
  dropCarried(migration: Migration): Promise<void>;
  /** The switch: the steps 1 to 9 of a cutover as one activity. Forward, or the old side serves again and it fails. */
  switchOver(migration: Migration): Promise<Switched>;
  /** Right when the switch never began. After "no return" it refuses: there is no way back. */
  switchBack(migration: Migration): Promise<void>;
  /** Proof that the old side took no write, then subscription, slots, publication and freeze are removed. */
  retire(migration: Migration): Promise<{ lateWrites: number }>;
}

export interface Switched {
  /** Milliseconds from the first PAUSE (or fence) to the last RESUME (or opening), in the attempt that went forward. */
  readonly pauseMs: number;
  /** Milliseconds of each part, in order. */
  readonly parts: readonly { readonly part: string; readonly ms: number }[];
  /** Where the marker ends in the source's WAL: every commit of before the fence is below it. */
  readonly markerLsn: string;
  readonly sequences: number;
  /** Superusers that can't log in to the source's server any more, until somebody says `ALTER ROLE … LOGIN`. */
  readonly lockedOut: readonly string[];
}

export const replicationWork: WorkOf<ReplicationActivities> = {
  freezeDdl: 'change',
  thawDdl: 'change',
  closeTarget: 'change',
  reopenTarget: 'change',
  holdTriggers: 'change',
  releaseTriggers: 'change',
  publish: 'change',
  unpublish: 'change',
  subscribe: 'change',
  unsubscribe: 'change',
  initialCopy: 'wait',
  catchUp: 'wait',
  gate: 'wait',
  carrySubscribers: 'change',
  dropCarried: 'change',
  switchOver: 'switch',
  switchBack: 'switch',
  retire: 'change',
};
