import { ulid } from 'ulid';
import type { Control } from '../../control/contract.ts';
import { until } from '../../sandbox/until.ts';
import type { MeasuredWorker } from './place.ts';

const batches = 4;

export interface WaitingCosts {
  /** KB of the worker's heaps for each waiting run: a sample for each batch. */
  readonly heap: readonly number[];
  /** The same of the process, with what its allocators keep for later. */
  readonly resident: readonly number[];
  /** Milliseconds that a quick step was scheduled before it began. */
  readonly delays: readonly number[];
}

export type Wait = 'step' | 'people' | 'bare';

/**
 * Lets `count` runs wait on a worker that does nothing else, in batches; then runs of one quick step come among them. Memory is measured after a garbage collection, before and after each batch. All are ended afterwards.
 */
export async function measureWaiting(
  control: Control,
  worker: MeasuredWorker,
  wait: Wait,
  { count, first, quickSteps }: { readonly count: number; readonly first: number; readonly quickSteps: number },
): Promise<WaitingCosts> {
  const runs: string[] = [];
  // What the first runs of a worker cost once is not theirs.
  runs.push(...(await Promise.all(Array.from({ length: first }, () => begin(control, worker, wait)))));
  const [heap, resident]: [number[], number[]] = [[], []];
  let before = await settled(worker);
  const size = Math.ceil(count / batches);
  for (let batch = 0; batch < batches; batch += 1) {
    runs.push(...(await inRows(size, 20, () => begin(control, worker, wait))));
    const now = await settled(worker);
    heap.push((now.heap - before.heap) / size / 1024);
    resident.push((now.resident - before.resident) / size / 1024);
    before = now;
  }
  const delays: number[] = [];
  for (let one = 0; one < quickSteps; one += 1) {
    const run = await worker.request('quick');
    delays.push((await worker.began(run)).delayMs);
    await worker.client.workflow.getHandle(run).result();
  }
  await inRows(runs.length, 20, async (index) => await worker.client.workflow.getHandle(runs[index] ?? '').terminate());
  return { heap, resident, delays };
}

/** Starts one and returns when it waits. */
async function begin(control: Control, worker: MeasuredWorker, wait: Wait): Promise<string> {
  const { client, taskQueue } = worker;
  if (wait === 'bare') {
    const handle = await client.workflow.start('bareAsking', { taskQueue, workflowId: `bare/${ulid()}` });
    await until('it waits', async () => ((await handle.describe()).historyLength >= 4 ? true : undefined), { withinMs: 60_000 });
    return handle.workflowId;
  }
  const run = await worker.request(wait === 'step' ? 'waiting' : 'asking');
  const waits = async (): Promise<true | undefined> => {
    const detail = await control.runs.detail(run);
    const there = wait === 'people' ? detail?.questions.length : detail?.steps.some((step) => step.state === 'running');
    return there ? true : undefined;
  };
  await until('the run waits', waits, { withinMs: 60_000, everyMs: 100 });
  return run;
}

/** The memory once it has come to rest: the lowest of a few looks. */
async function settled(worker: MeasuredWorker): Promise<{ resident: number; heap: number }> {
  const looks = [await worker.memory(), await worker.memory(), await worker.memory()];
  const lowest = (of: 'resident' | 'heap'): number => Math.min(...looks.map((look) => look[of]));
  return { resident: lowest('resident'), heap: lowest('heap') };
}

async function inRows<Result>(count: number, abreast: number, work: (index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < count; from += abreast) {
    const row = Array.from({ length: Math.min(abreast, count - from) }, (_, index) => work(from + index));
    results.push(...(await Promise.all(row)));
  }
  return results;
}
