import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { ulid } from 'ulid';

type EventId = NonNullable<temporal.api.workflowservice.v1.IResetWorkflowExecutionRequest['workflowTaskFinishEventId']>;

/** Resets the run to the end of this workflow task; `keep` delivers Signals and Updates again that came afterwards. */
export async function resetTo(client: Client, run: string, workflowTaskFinishEventId: EventId, keep = false): Promise<void> {
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: run },
    reason: 'a test',
    requestId: ulid(),
    workflowTaskFinishEventId,
    // Signals and Updates.
    resetReapplyExcludeTypes: keep ? [] : [1, 2],
  });
}
