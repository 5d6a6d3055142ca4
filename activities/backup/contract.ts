import type { Proof } from '../../control/contract.ts';
import type { Command } from '../../domain/command.ts';
import type { Difference, Kept, RemovedCopies, Restored, Snapshot } from '../providers/answers.ts';
import type { BackupFacts } from '../providers/backup-facts.ts';
import type { WorkOf } from '../work.ts';

/** What every step around an instance is told: small, since it stands in the run's history. The facts stand in the control database. */
export interface OnInstance {
  readonly database: string;
  /** Digest of the facts that the plan was made from. */
  readonly facts: string;
}

/**
 * Backups, restores and copies of whole instances, whoever runs them: each verb is the one of the same name of the database's
 * provider (`activities/providers/provider.ts` has its contract). A provider without it: `plan-impossible`, before anything is made.
 */
export interface BackupActivities {
  awaitReady(on: OnInstance): Promise<void>;
  createSnapshot(on: OnInstance): Promise<void>;
  awaitSnapshot(on: OnInstance): Promise<Snapshot>;
  deleteSnapshot(on: OnInstance): Promise<void>;
  awaitRoom(on: OnInstance): Promise<void>;
  copySnapshot(on: OnInstance): Promise<void>;
  awaitCopy(on: OnInstance): Promise<Snapshot>;
  deleteCopy(on: OnInstance): Promise<void>;
  removeCopies(on: OnInstance): Promise<RemovedCopies>;
  /** The moment that is restored; null: none is. */
  awaitRestorable(on: OnInstance): Promise<{ readonly moment: string } | null>;
  restoreToPointInTime(on: OnInstance): Promise<void>;
  restoreFromSnapshot(on: OnInstance): Promise<void>;
  awaitAvailable(on: OnInstance): Promise<Restored>;
  applySettings(on: OnInstance): Promise<void>;
  setMainPassword(on: OnInstance): Promise<void>;
  compareSettings(on: OnInstance): Promise<{ differences: readonly Difference[] }>;
  deleteRestored(on: OnInstance): Promise<void>;
  deleteInstance(on: OnInstance): Promise<void>;
  awaitLast(on: OnInstance): Promise<Snapshot>;
  renameSource(on: OnInstance): Promise<Kept>;
  nameSourceBack(on: OnInstance): Promise<void>;
  renameRestored(on: OnInstance): Promise<void>;
  nameRestoredBack(on: OnInstance): Promise<void>;
  openRestored(on: OnInstance): Promise<void>;
  closeRestored(on: OnInstance): Promise<void>;
  awaitNamed(on: OnInstance): Promise<Restored>;
  /** Raises `plan-impossible`, naming all of the other region's kit that does not stand ready. */
  drKit(on: OnInstance): Promise<void>;
  /** Looks at the other region once more when all is done: what the run has proved, in one object. Changes nothing. */
  copyEvidence(on: ProvedCopy): Promise<CopyEvidence>;
}

/** A copy, and how far it was proved. */
export interface ProvedCopy extends OnInstance {
  readonly proof: Pick<Proof, 'verified' | 'recoveredTo'>;
}

/** What a copy into the other region has proved. */
export interface CopyEvidence {
  /** The database by its name in the inventory. */
  readonly source: string;
  readonly destinationRegion: string;
  /** The other region's key, as the copy has it; null when it is not encrypted. */
  readonly encryptedWith: string | null;
  readonly verified: Proof['verified'];
  /** ISO 8601: of the restored copy; null when it was not looked at. */
  readonly newestRowAt: string | null;
  /** The old copies of the plan that are gone, by name. */
  readonly pruned: readonly string[];
}

type Changes = Exclude<keyof BackupActivities, `await${string}` | 'compareSettings' | 'drKit' | 'copyEvidence'>;

/** The pure half of every verb that changes something. */
export type BackupCommands = { readonly [Verb in Changes]: (facts: BackupFacts) => Command[] };

/**
 * What removes or renames something asks once and then looks until it is so: a wait that may take as long as the provider does. So is
 * a copy, for which the provider may have no room, and what is set on a restored instance, which may be busy with what was set before.
 */
export const backupWork: WorkOf<BackupActivities> = {
  awaitReady: 'wait',
  createSnapshot: 'change',
  awaitSnapshot: 'wait',
  deleteSnapshot: 'wait',
  awaitRoom: 'wait',
  copySnapshot: 'wait',
  awaitCopy: 'wait',
  deleteCopy: 'wait',
  removeCopies: 'long',
  awaitRestorable: 'wait',
  restoreToPointInTime: 'change',
  restoreFromSnapshot: 'change',
  awaitAvailable: 'wait',
  applySettings: 'wait',
  setMainPassword: 'wait',
  compareSettings: 'look',
  deleteRestored: 'wait',
  deleteInstance: 'wait',
  awaitLast: 'wait',
  renameSource: 'held',
  nameSourceBack: 'held',
  renameRestored: 'held',
  nameRestoredBack: 'held',
  openRestored: 'held',
  closeRestored: 'held',
  awaitNamed: 'held',
  drKit: 'look',
  copyEvidence: 'look',
};
