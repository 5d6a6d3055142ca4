import { Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { workflowBundle } from '../../worker/bundle.ts';
import type { EngineTest } from './place.ts';

/** A worker that takes the run over has ten seconds for it. */
export const replayWithinMs = 5_000;

/** How long a worker needs to replay the history of one execution. */
export async function replayMs({ client }: EngineTest, run: string, execution: string): Promise<number> {
  const history = await client.workflow.getHandle(run, execution).fetchHistory();
  const code = await workflowBundle(inject('workflowBundle'), { encodes: false });
  const began = performance.now();
  await Worker.runReplayHistory({ workflowBundle: code }, history, run);
  return performance.now() - began;
}
