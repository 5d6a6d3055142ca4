import type { FactFinding } from '../../domain/finding.ts';
import type { OwnedLook } from '../../domain/leftover.ts';
import type { Attempt } from '../attempt.ts';
import type { Report } from '../engine/gather-findings.ts';
import type { Difference, Kept, RemovedCopies, Restored, Snapshot } from './answers.ts';
import type { BackupFacts, BackupOrder, OldOrder } from './backup-facts.ts';

export type { Difference, Kept, Restored, Snapshot } from './answers.ts';

/** A database as it is now, whoever runs it. */
export interface Description {
  /** `pg_control_system().system_identifier`: the same on a primary and its standbys, never on two clusters. As text, since it has 64 bits. */
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  /** `server_version_num`, 160014 for 16.14. */
  readonly version: number;
  readonly inRecovery: boolean;
  readonly topology: Topology;
}

export interface Topology {
  readonly role: 'primary' | 'standby';
  readonly timeline: number;
  /** Physical standbys that stream from it now, by application name; without logical replication. Sorted. */
  readonly standbys: readonly { readonly name: string; readonly state: string }[];
}

/**
 * Everything that a run makes at a provider has a name made of the run's tag and carries two tags, the run's id and the key of its
 * step. It is adopted only by these; with the same name and without them it is `foreign-object`. Every verb that changes something
 * may raise what `Aws.call` does, and writes its intent first.
 */
export interface Backup {
  /**
   * Makes a snapshot of the source, named after the run; returns when it is being made. Repeats safely: adopted by tag. The source
   * must be ready (`awaitReady`); a single machine's writes stall for a moment.
   */
  createSnapshot(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /** Looks once: `not-yet` while a snapshot of this run's is being made there; `provider-refused` when it failed. Changes nothing. */
  awaitSnapshot(facts: BackupFacts, where: 'source' | 'copy', attempt: Attempt): Promise<Snapshot>;
  /** Newest first, its own and the provider's; of every run. Changes nothing. */
  listBackups(database: string): Promise<Snapshot[]>;
  /** The undo of `createSnapshot`. Right when it never happened, and twice; `not-yet` until it is gone. */
  deleteSnapshot(facts: BackupFacts, attempt: Attempt): Promise<void>;
}

export interface Restore {
  /** The moments that a restore can reach now, or null when the database keeps no backups. Changes nothing. */
  window(database: string): Promise<{ readonly earliest: string; readonly latest: string } | null>;
  /**
   * Everything that a plan binds to, looked up in one go, read-only. Whatever would make the run fail later is reported, all of it:
   * `input-invalid` for a moment that can't be reached, `plan-impossible` for what is missing, `quota-exceeded`, `foreign-object`.
   * Raises `FactsMissing` when no plan can do without what is missing; without `report` it raises what was found, as one failure.
   */
  inspect(order: BackupOrder, report?: Report): Promise<BackupFacts>;
  /** Looks once: `not-yet` with the time that is left until the latest restorable moment has passed the target. Changes nothing. */
  awaitRestorable(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /** Looks once until the source takes a change: `not-yet` while it is busy, `provider-refused` in a state that does not mend itself. */
  awaitReady(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /**
   * Makes a new instance beside the source, in quarantine, from a moment; returns when it is being made. The source stays as it is.
   * Repeats safely: adopted by tag.
   */
  restoreToPointInTime(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /** The same from a snapshot: one that was there, or the copy of this run in the other region. */
  restoreFromSnapshot(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /** Looks once: `not-yet` until this run's restored instance answers; `provider-refused` in a state that does not mend itself. */
  awaitAvailable(facts: BackupFacts, attempt: Attempt): Promise<Restored>;
  /** The instance that this run has restored, where it answers; null while there is none that does. Changes nothing. */
  find(facts: BackupFacts, run: string): Promise<Restored | null>;
}

export interface CopyAbroad {
  /** What must stand ready in the other region; a finding for each thing that does not. Changes nothing. */
  kit(database: string): Promise<readonly FactFinding[]>;
  /** Looks once until the provider takes one more copy into the other region: `not-yet` while too many are being made. Changes nothing. */
  awaitRoom(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /**
   * Copies the facts' snapshot into the other region, under its key; returns when the copy has begun, `not-yet` while too many others
   * are being made. Repeats safely: adopted by tag. The source must stay until `awaitSnapshot`.
   */
  copySnapshot(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /**
   * What runs have copied of this database into the other region, newest first: by the tag with the database's name that every copy
   * gets, however its server was called then; one without that tag by the server's name. Changes nothing.
   */
  listCopies(database: string): Promise<Snapshot[]>;
  /** The undo of `copySnapshot`. Right when it never happened, and twice; `not-yet` until it is gone. */
  deleteCopy(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /**
   * Removes exactly the old copies of the facts. Each is looked at right before: another one by now, or one that somebody holds,
   * stays and is told. Gone already counts as removed, so it repeats safely.
   */
  removeCopies(facts: BackupFacts, attempt: Attempt): Promise<RemovedCopies>;
}

export interface Remove {
  /**
   * An instance that a switch-over has put aside, read-only. Reports, as `inspect` does, `plan-impossible` for one without the tags
   * of a switch-over of this database, one that is not due (unless `early`), protected, broken or followed by replicas; and
   * `quota-exceeded` or `foreign-object` when there is no room, or no name, for its last snapshot.
   */
  inspectOld(order: OldOrder, report?: Report): Promise<BackupFacts>;
  /** Removes the instance that this run restored, without a last snapshot. Right when there never was one; `not-yet` until it is gone. */
  deleteRestored(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /**
   * Removes an instance that served: only the one of the facts (`identity-changed` when the name belongs to another one now), with
   * a last snapshot and its automated backups kept. Gone already: done. `not-yet` until it is gone. `decided` is called right before
   * it is asked for, and stops it by what it raises. One that is protected from deletion stays: `provider-refused`.
   */
  deleteInstance(facts: BackupFacts, attempt: Attempt, decided: () => Promise<void>): Promise<void>;
  /** Looks once: `not-yet` until the last snapshot that `deleteInstance` had made is whole. Changes nothing. */
  awaitLast(facts: BackupFacts, attempt: Attempt): Promise<Snapshot>;
}

/**
 * The restored copy takes the place of the one in use, by their names: the endpoint goes with the name. All of these look, ask for
 * what is missing, and look again (`not-yet`) until it is in force; so they repeat safely, and a lost answer is found by looking.
 * Which instance is meant is told by the provider's own identity of it and by the run's tags, never by its name alone:
 * `foreign-object` when another one has a name that is needed, `identity-changed` when the one in use is gone, `drift` when it is
 * called otherwise than this run calls it. Connections to a renamed instance are cut. Each undo is right when the change never
 * happened, and twice.
 */
export interface Swap {
  /** The one in use is kept as `<name>-old-<run's id in lower case>`, with the run's tags and the day when it is due to be removed. */
  renameSource(facts: BackupFacts, attempt: Attempt): Promise<Kept>;
  /** The undo of `renameSource`: name and tags as before. Waits as long as the copy still has the name. */
  nameSourceBack(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /** The restored copy gets the name of the one that was in use. Waits as long as that one still has it. */
  renameRestored(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /** The undo of `renameRestored`: the copy has its own name again. */
  nameRestoredBack(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /**
   * Takes the copy, under its new name, out of quarantine: all settings are those that the source had, in force, after a restart where
   * parameters wait for one. Raises `drift` when the provider took them and one stays otherwise.
   */
  openRestored(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /** The undo of `openRestored`: the copy, whatever it is called, is in quarantine again. */
  closeRestored(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /** Looks once: `not-yet` until the restored copy has the source's name and answers under it. Changes nothing. */
  awaitNamed(facts: BackupFacts, attempt: Attempt): Promise<Restored>;
}

export interface SettingsOfInstances {
  /**
   * Sets the source's settings on the restored instance, but for those of the quarantine; `not-yet` while it is busy. Repeats safely: it
   * is one desired state.
   */
  applySettings(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /**
   * Gives the restored instance's main user the password that the inventory's secret has now; it has that of the moment it was
   * restored to; `not-yet` while that one is busy. Repeats safely: it is one value. Raises `plan-impossible` when Steadyhand's user is not the main user.
   */
  setMainPassword(facts: BackupFacts, attempt: Attempt): Promise<void>;
  /** What differs from source and quarantine on the restored instance, what is pending too. Changes nothing. */
  compareSettings(facts: BackupFacts, attempt: Attempt): Promise<readonly Difference[]>;
}

export interface Logs {
  /**
   * What the server wrote into its log in that time, a file at a time, the newest first; a file's text is in order. Lines of other
   * databases of the server may be left out. Changes nothing. Raises `plan-impossible` when it is more than can be read for a plan.
   */
  read(database: string, time: { readonly from: Date; readonly to: Date }): AsyncIterable<string>;
}

export interface Storage {
  /** Bytes that are free and all there are; null where nothing was measured in the last minutes. Changes nothing. */
  freeStorage(database: string): Promise<{ readonly free: number | null; readonly all: number }>;
}

export interface Owned {
  /**
   * Everything that runs have made and that is there, in all regions of the database's entry: of other databases' runs and of other
   * installations' too, since a region is shared. Changes nothing. What could not be listed is told (`unseen`), not raised.
   */
  list(database: string): Promise<OwnedLook>;
}

/** One way to run PostgreSQL. A group that a provider has no capability for is absent, not a stub. */
export interface Provider {
  readonly name: string;
  /** Roles that the provider itself logs in with, by a regular expression on their names; absent: it has none. */
  readonly ownRoles?: string;
  /**
   * Looks at a database of the inventory. Changes nothing, so it repeats safely; two looks at an unchanged server are equal but
   * for the standbys' states. Raises `unreachable`, `login-refused` or `privilege-missing`; never answers with a guess.
   */
  describe(database: string): Promise<Description>;
  readonly backup?: Backup;
  readonly restore?: Restore;
  readonly copy?: CopyAbroad;
  readonly remove?: Remove;
  readonly swap?: Swap;
  readonly settings?: SettingsOfInstances;
  readonly storage?: Storage;
  readonly owned?: Owned;
  readonly logs?: Logs;
}
