import type { WorkOf } from '../work.ts';
import type { Difference, Restored, Snapshot } from '../providers/provider.ts';

/** What every step around an instance is told: small, since it stands in the run's history. The facts stand in the control database. */
export interface Recovery {
  readonly database: string;
  /** Digest of the facts that the plan was made from. */
  readonly facts: string;
}

/**
 * Backups, restores and copies of whole instances, whoever runs them: each verb is the one of the same name of the database's
 * provider (`activities/providers/provider.ts` has its contract). A provider without it: `plan-impossible`, before anything is made.
 */
export interface BackupActivities {
  awaitReady(recovery: Recovery): Promise<void>;
  createSnapshot(recovery: Recovery): Promise<void>;
  awaitSnapshot(recovery: Recovery): Promise<Snapshot>;
  deleteSnapshot(recovery: Recovery): Promise<void>;
  copySnapshot(recovery: Recovery): Promise<void>;
  awaitCopy(recovery: Recovery): Promise<Snapshot>;
  deleteCopy(recovery: Recovery): Promise<void>;
  awaitRestorable(recovery: Recovery): Promise<void>;
  restoreToPointInTime(recovery: Recovery): Promise<void>;
  restoreFromSnapshot(recovery: Recovery): Promise<void>;
  awaitAvailable(recovery: Recovery): Promise<Restored>;
  applySettings(recovery: Recovery): Promise<void>;
  compareSettings(recovery: Recovery): Promise<{ differences: readonly Difference[] }>;
  deleteRestored(recovery: Recovery): Promise<void>;
  deleteInstance(recovery: Recovery): Promise<void>;
  /** What of the other region's kit does not stand ready. */
  drKit(recovery: Recovery): Promise<{ missing: readonly string[] }>;
}

/** What removes something asks once and then looks until it is gone: a wait that may take as long as the provider does. */
export const backupWork: WorkOf<BackupActivities> = {
  awaitReady: 'wait',
  createSnapshot: 'change',
  awaitSnapshot: 'wait',
  deleteSnapshot: 'wait',
  copySnapshot: 'change',
  awaitCopy: 'wait',
  deleteCopy: 'wait',
  awaitRestorable: 'wait',
  restoreToPointInTime: 'change',
  restoreFromSnapshot: 'change',
  awaitAvailable: 'wait',
  applySettings: 'change',
  compareSettings: 'look',
  deleteRestored: 'wait',
  deleteInstance: 'wait',
  drKit: 'look',
};
