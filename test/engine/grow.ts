import { eventually } from '../support/eventually.ts';
import type { EngineTest } from './place.ts';

const batch = 100;
const batches = 15;

/** The run's latest execution. */
export async function executionOf({ client }: EngineTest, run: string): Promise<string> {
  return (await client.workflow.getHandle(run).describe()).runId;
}

/** Sends messages that are none until the run is continued as new; returns the execution whose history has grown. */
export async function grow(engine: EngineTest, run: string): Promise<string> {
  const before = await executionOf(engine, run);
  const handle = engine.client.workflow.getHandle(run);
  for (let count = 0; count < batches; count += 1) {
    await Promise.all(Array.from({ length: batch }, async () => await handle.signal('decided', 'nothing')));
    if ((await heardAll(engine, run)) !== before) return before;
  }
  throw new Error(`after ${batch * batches} messages ${run} is not continued as new`);
}

/** The execution that has nothing left to hear. */
async function heardAll({ client }: EngineTest, run: string): Promise<string> {
  const { namespace } = client.options;
  return await eventually(async () => {
    const seen = await client.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId: run } });
    return seen.pendingWorkflowTask ? undefined : (seen.workflowExecutionInfo?.execution?.runId ?? undefined);
  }, 60_000);
}
