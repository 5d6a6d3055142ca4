import type { AnyRunbook } from '../domain/runbook.ts';
import { backupNow } from './backup-now/plan.ts';
import { drSnapshotCopy } from './dr-snapshot-copy/plan.ts';
import { migrationCutover } from './migration-cutover/plan.ts';
import { pitrRestore } from './pitr-restore/plan.ts';
import { removeOld } from './remove-old/plan.ts';

/** Every runbook by its name, for API, CLI and the activity that makes plans. */
export const catalog: Readonly<Record<string, AnyRunbook>> = {
  [backupNow.name]: backupNow,
  [drSnapshotCopy.name]: drSnapshotCopy,
  [migrationCutover.name]: migrationCutover,
  [pitrRestore.name]: pitrRestore,
  [removeOld.name]: removeOld,
};
