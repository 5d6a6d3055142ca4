import { backupWork, type BackupActivities } from '../../activities/backup/contract.ts';
import { recoveryWork, type RecoveryActivities } from '../../activities/recovery/contract.ts';
import type { RunResult, RunStart } from '../../domain/run.ts';
import { follow, type Told } from '../engine/run.ts';
import { verbs } from '../engine/work.ts';
import type { RestoreInput, steps } from './plan.ts';
import { subject, type Learnt, type Restoring } from './subject.ts';

const backup = verbs<BackupActivities>('backup', backupWork);
const recovery = verbs<RecoveryActivities>('recovery', recoveryWork);

/**
 * Restore beside: a database as it was at a moment, or in a snapshot, stands beside the one in use; then people say what is to come
 * of it. The one in use is not touched by the restore.
 *
 *  1. Wait until the database's instance takes changes.
 *  2. Ask for leave to restore.
 *  3. Wait until the moment can be restored: the one that was named, or the one before what happened to a table.
 *  4. Restore it into quarantine beside the one in use: from the moment, or from the snapshot. Wait until it answers.
 *  5. Set the settings of the one in use on it, and the password of now, and list what differs.
 *  6. Read every page of it, verify it, and write the proof into the ledger.
 *  7. Ask for leave to do what was asked for, now that the copy is there to be looked at.
 *  8. Copy the chosen tables into a side schema of the database in use, bring them back into place, and compare.
 *  9. Or the copy takes the place of the one in use. Back that one up, and set the application's passwords of now on the copy.
 * 10. Stop all writes, exchange the names, take the copy out of quarantine, and see that it answers under the address in use.
 * 11. Let clients write to it. From here on there is no way back; the old one stays, under another name.
 * 12. Remove the restored copy, unless it is to be kept or serves.
 * 13. Remove the side schema. From here on what came back stays.
 */
export async function pitrRestore(start: RunStart): Promise<RunResult> {
  const learnt: Learnt = {};
  return await follow<keyof typeof steps, Restoring>(
    'pitr-restore',
    start,
    (told) => ofRestore(told, learnt),
    async (run) => {
      await run.step('ready', backup.awaitReady);
      await run.approval('approve-restore');

      learnt.moment = (await run.step('await-moment', backup.awaitRestorable))?.moment;
      await run.step('restore-moment', backup.restoreToPointInTime, { undo: backup.deleteRestored });
      await run.step('restore-snapshot', backup.restoreFromSnapshot, { undo: backup.deleteRestored });
      learnt.restored = await run.step('available', backup.awaitAvailable);
      const seconds = run.seconds(['restore-moment', 'restore-snapshot'], 'available');
      if (seconds !== undefined) learnt.secondsAvailable = seconds;
      await run.step('apply-settings', backup.applySettings);
      await run.step('set-password', backup.setMainPassword);
      await run.step('settings-applied', backup.awaitAvailable);
      await run.step('compare-settings', backup.compareSettings);
      learnt.hydration = await run.step('hydrate', recovery.hydrate);
      learnt.verification = await run.step('verify', recovery.verify);
      await run.step('prove', recovery.prove);

      await run.approval('approve-next');

      await run.step('copy-aside', recovery.copyAside, { undo: recovery.removeAside });
      // What was missing is moved into its place: brought once more it must be copied once more.
      await run.step('bring-back', recovery.bringBack, { undo: recovery.takeOut, redo: 'copy-aside' });
      await run.step('compare-after', recovery.compareAfter);

      await run.step('own-backup', backup.createSnapshot, { undo: backup.deleteSnapshot });
      await run.step('backed-up', backup.awaitSnapshot);
      await run.step('set-passwords', recovery.setPasswords);
      learnt.fenced = await run.step('fence', recovery.fence, { undo: recovery.liftFence, ...held });
      learnt.kept = await run.step('rename-old', backup.renameSource, { undo: backup.nameSourceBack, ...held });
      await run.step('rename-copy', backup.renameRestored, { undo: backup.nameRestoredBack, ...held });
      await run.step('named', backup.awaitNamed, held);
      await run.step('open-copy', backup.openRestored, { undo: backup.closeRestored, ...held });
      await run.step('verify-switched', recovery.verifySwitched, held);
      await run.step('let-in', recovery.letIn, held);

      await run.step('remove-restored', backup.deleteRestored);
      await run.step('remove-aside', recovery.removeAside);
    },
  );
}

/** From the fence on nobody writes: a step that fails there is taken back with all since, before people are asked. */
const held = { heldSince: 'fence' } as const;

/** The run's input was parsed by the schema of the plan at admission. */
function ofRestore(told: Told, learnt: Learnt): Restoring {
  return subject({ ...told, input: told.input as RestoreInput }, learnt);
}
