/** Where the recorded histories of a runbook are. */
export function folderOf(runbook: string): URL {
  return new URL(`./${runbook}/`, import.meta.url);
}
