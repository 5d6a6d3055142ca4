import { resetTo } from '../support/reset-to.ts';
import type { temporal } from '@temporalio/proto';
import type { EngineTest } from './place.ts';

/** Back to before the workflow task in which the run called the activity for the n-th time; `keep` delivers Signals and Updates again that came afterwards. */
export async function resetBefore(
  engine: EngineTest,
  run: string,
  activity: string,
  options: { nth?: number; keep?: boolean } = {},
): Promise<void> {
  const { client } = engine;
  const { events = [] } = await client.workflow.getHandle(run).fetchHistory();
  const calls = events?.map((event) => calledBy(event)).filter((call) => call?.name === activity);
  const finished = calls?.[(options.nth ?? 1) - 1]?.finished;
  if (!finished) throw new Error(`the run has not called ${activity}`);
  await resetTo(client, run, finished, options.keep);
}

type Called = {
  name: string | null | undefined;
  finished: temporal.api.history.v1.IActivityTaskScheduledEventAttributes['workflowTaskCompletedEventId'];
};

/** An activity that was called by the server, or on the spot. */
function calledBy(event: temporal.api.history.v1.IHistoryEvent): Called | undefined {
  const call = event.activityTaskScheduledEventAttributes;
  if (call) return { name: call.activityType?.name, finished: call.workflowTaskCompletedEventId };
  const marker = event.markerRecordedEventAttributes;
  const [data] = marker?.details?.['data']?.payloads ?? [];
  if (!marker || !data?.data) return undefined;
  const { activity_type: name } = JSON.parse(Buffer.from(data.data).toString()) as { activity_type?: string };
  return { name, finished: marker.workflowTaskCompletedEventId };
}
