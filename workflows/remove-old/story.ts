import { backupWork, type BackupActivities, type OnInstance } from '../../activities/backup/contract.ts';
import type { RunResult, RunStart } from '../../domain/run.ts';
import { follow } from '../engine/run.ts';
import { verbs } from '../engine/work.ts';
import type { steps } from './plan.ts';
import { subject } from './subject.ts';

const backup = verbs<BackupActivities>('backup', backupWork);

/**
 * Remove old: what a switch-over has put aside goes, once nobody needs it any more.
 *
 *  1. Ask for leave. The plan has checked that it is the old one of a switch-over, that it is due, and that nothing uses it.
 *  2. Wait until the instance can be removed: one that is being changed can't.
 *  3. Remove it, with a last snapshot and its automated backups kept. From the call on there is no way back.
 *  4. Wait until the last snapshot is whole. Its name is the evidence.
 */
export async function removeOld(start: RunStart): Promise<RunResult> {
  return await follow<keyof typeof steps, OnInstance>('remove-old', start, subject, async (run) => {
    await run.approval('approve-removal');
    await run.step('ready', backup.awaitReady);
    await run.step('remove', backup.deleteInstance);
    await run.step('last-snapshot', backup.awaitLast);
  });
}
