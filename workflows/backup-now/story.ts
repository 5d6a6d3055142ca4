import { backupWork, type BackupActivities, type OnInstance } from '../../activities/backup/contract.ts';
import type { RunResult, RunStart } from '../../domain/run.ts';
import { follow } from '../engine/run.ts';
import { verbs } from '../engine/work.ts';
import type { steps } from './plan.ts';
import { subject } from './subject.ts';

const backup = verbs<BackupActivities>('backup', backupWork);

/**
 * Backup now: a snapshot of a database, before something is tried with it.
 *
 *  1. Ask for leave, where the policy wants it for a low risk. The plan has checked the quota and the name.
 *  2. Wait until the instance takes a backup: one that is being changed takes none.
 *  3. Make the snapshot, and wait until it is whole. What it holds and from when is the evidence.
 */
export async function backupNow(start: RunStart): Promise<RunResult> {
  return await follow<keyof typeof steps, OnInstance>('backup-now', start, subject, async (run) => {
    await run.approval('approve-backup');
    await run.step('ready', backup.awaitReady);
    await run.step('snapshot', backup.createSnapshot, { undo: backup.deleteSnapshot });
    await run.step('whole', backup.awaitSnapshot, { redo: 'snapshot' });
  });
}
