import { backupWork, type BackupActivities } from '../../activities/backup/contract.ts';
import { recoveryWork, type RecoveryActivities } from '../../activities/recovery/contract.ts';
import type { RunResult, RunStart } from '../../domain/run.ts';
import { follow } from '../engine/run.ts';
import { verbs } from '../engine/work.ts';
import type { steps } from './plan.ts';
import { subject, type CopyingAbroad, type Learnt } from './subject.ts';

const backup = verbs<BackupActivities>('backup', backupWork);
const recovery = verbs<RecoveryActivities>('recovery', recoveryWork);

/**
 * A copy for the day when a region is lost: a snapshot goes to the other region, and a drill there shows that it can be used.
 *
 *  1. Check what must stand ready in the other region: key, engine version, groups, quota.
 *  2. Ask for leave, once for all of it: the old copies that will go stand in the plan.
 *  3. Make a new snapshot, unless the newest one of the provider's own is copied.
 *  4. Copy it into the other region as soon as there is room, and wait through the queue until the copy is whole.
 *  5. The drill: restore the copy there, in quarantine, and wait until it answers. Give it the password of now.
 *  6. Verify what was restored. Fails it, people look while it still stands there.
 *  7. Tear the drill down.
 *  8. Write into the ledger how far the copy is proved, and remove the new snapshot: the copy stands for itself.
 *  9. Remove the old copies that the rule keeps no longer. What is gone does not come back: from here on the new copy stays.
 * 10. Look once more, and put the evidence together.
 */
export async function drSnapshotCopy(start: RunStart): Promise<RunResult> {
  const learnt: Learnt = {};
  return await follow<keyof typeof steps, CopyingAbroad>(
    'dr-snapshot-copy',
    start,
    (told) => subject(told, learnt),
    async (run) => {
      await run.step('check', backup.drKit);
      await run.approval('approve-copy');

      await run.step('ready', backup.awaitReady);
      await run.step('snapshot', backup.createSnapshot, { undo: backup.deleteSnapshot });
      await run.step('snapshot-whole', backup.awaitSnapshot, { redo: 'snapshot' });
      await run.step('room', backup.awaitRoom);
      await run.step('copy', backup.copySnapshot, { undo: backup.deleteCopy });
      learnt.copy = await run.step('copy-whole', backup.awaitCopy, { redo: 'copy' });

      await run.step('drill', backup.restoreFromSnapshot, { undo: backup.deleteRestored });
      learnt.restored = await run.step('available', backup.awaitAvailable, { redo: 'drill' });
      if (learnt.restored) {
        const seconds = run.seconds(['drill'], 'available');
        if (seconds !== undefined) learnt.secondsAvailable = seconds;
        await run.step('set-password', backup.setMainPassword, { redo: 'drill' });
        await run.step('password-set', backup.awaitAvailable, { redo: 'drill' });
        learnt.verification = await run.step('verify', recovery.verify, { redo: 'drill' });
      }
      await run.step('tear-down', backup.deleteRestored);
      await run.step('prove', recovery.prove);
      await run.step('remove-snapshot', backup.deleteSnapshot);
      await run.step('prune', backup.removeCopies);
      await run.step('evidence', backup.copyEvidence);
    },
  );
}
