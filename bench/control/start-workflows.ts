import type { Client } from '@temporalio/client';
import { atOnce } from '../../api/at-once.ts';
import { startRun } from '../../temporal/runs.ts';

/** Starts the workflows of runs whose rows are there; nobody works on them. Throws when one can't be started. */
export async function startWorkflows(client: Client, taskQueue: string, runs: readonly string[]): Promise<void> {
  const failed = await atOnce(20, runs, async (run) => {
    const [runbook = '', database = ''] = run.split('/');
    const request = { id: `request of ${run}`, run, runbook, database, input: {}, requester: 'anna', channel: 'http', ticket: null };
    await startRun(client, { ...request, startedAt: null }, { taskQueue });
  });
  if (failed.length > 0) throw failed[0];
}
