import { resetTo } from '../support/reset-to.ts';
import type { EngineTest } from './place.ts';

/** Back to before the run called the activity for the n-th time; `keep` delivers Signals and Updates again that came afterwards. */
export async function resetBefore(
  engine: EngineTest,
  run: string,
  activity: string,
  options: { nth?: number; keep?: boolean } = {},
): Promise<void> {
  const { client } = engine;
  const { events = [] } = await client.workflow.getHandle(run).fetchHistory();
  const calls = events?.map((event) => event.activityTaskScheduledEventAttributes).filter((call) => call?.activityType?.name === activity);
  const finished = calls?.[(options.nth ?? 1) - 1]?.workflowTaskCompletedEventId;
  if (!finished) throw new Error(`the run has not called ${activity}`);
  await resetTo(client, run, finished, options.keep);
}
