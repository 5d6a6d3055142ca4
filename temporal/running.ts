import type { Client } from '@temporalio/client';
import { temporalFailure } from './connect.ts';

const pageSize = 1_000;
const withinMs = 10_000;

/**
 * The workflows of the task queue that run, by their ids, each with the id of its execution. It is the server's list (visibility):
 * a call for each thousand, and it lags behind by a moment. What it says counts only after a look at the workflow itself. Throws
 * `temporal-unavailable`.
 */
export async function runningWorkflows(client: Client, taskQueue: string): Promise<ReadonlyMap<string, string>> {
  const { namespace } = client.options;
  const query = `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND ExecutionStatus = 'Running'`;
  const running = new Map<string, string>();
  let nextPageToken: Uint8Array | undefined;
  const deadline = Date.now() + withinMs;
  try {
    do {
      const request = { namespace, query, pageSize, ...(nextPageToken ? { nextPageToken } : {}) };
      const page = await client.withDeadline(deadline, () => client.workflowService.listWorkflowExecutions(request));
      for (const { execution } of page.executions ?? []) {
        if (execution?.workflowId && execution.runId) running.set(execution.workflowId, execution.runId);
      }
      nextPageToken = page.nextPageToken && page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
    } while (nextPageToken);
    return running;
  } catch (error) {
    throw temporalFailure(error, { namespace });
  }
}
