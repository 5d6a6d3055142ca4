/** The stories that workers know: the name of a workflow is the runbook's, in camel case. */
export { migrationCutover } from './migration-cutover/story.ts';
