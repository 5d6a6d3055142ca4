/** The stories that workers know: the name of a workflow is the runbook's, in camel case. */
export { clearUp } from './engine/clear-up.ts';
export { backupNow } from './backup-now/story.ts';
export { drSnapshotCopy } from './dr-snapshot-copy/story.ts';
export { migrationCutover } from './migration-cutover/story.ts';
export { pitrRestore } from './pitr-restore/story.ts';
export { removeOld } from './remove-old/story.ts';
