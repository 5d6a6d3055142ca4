import type { Client } from '@temporalio/client';
import { temporalFailure } from './connect.ts';

/** A task queue from which nobody takes work of this kind. */
export interface Unpolled {
  readonly queue: string;
  readonly work: 'workflows' | 'activities';
}

const answerWithinMs = 2_000;
/** A worker asks again after a minute at most; the server remembers one that has gone for five. */
const goneAfterMs = 75_000;
/** Of the server's API. */
const kinds = { workflows: 1, activities: 2 } as const;

/** The queues of `worker/main.ts` that no worker polls now. Throws `temporal-unavailable`. */
export async function unpolledQueues(client: Client, taskQueue: string, now: () => number = Date.now): Promise<Unpolled[]> {
  const polled: Unpolled[] = [
    { queue: taskQueue, work: 'workflows' },
    { queue: taskQueue, work: 'activities' },
    { queue: `${taskQueue}-long`, work: 'activities' },
    { queue: `${taskQueue}-switch`, work: 'activities' },
  ];
  const found = await Promise.all(polled.map((one) => isPolled(client, one, now() - goneAfterMs)));
  return polled.filter((_, index) => found[index] !== true);
}

async function isPolled(client: Client, { queue, work }: Unpolled, since: number): Promise<boolean> {
  const { namespace } = client.options;
  const request = { namespace, taskQueue: { name: queue }, taskQueueType: kinds[work] };
  try {
    const { pollers } = await client.withDeadline(Date.now() + answerWithinMs, () => client.workflowService.describeTaskQueue(request));
    return (pollers ?? []).some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since);
  } catch (error) {
    throw temporalFailure(error, { namespace });
  }
}
