import { ulid } from 'ulid';
import { interleaved } from '../frame/interleaved.ts';
import type { BenchOptions } from '../frame/bench.ts';
import { nowMs } from './messages.ts';
import type { MeasuredWorker } from './place.ts';

/** Milliseconds, a sample for each round. */
export interface StepCosts {
  readonly marginal: Readonly<Record<'bare' | 'change' | 'check', readonly number[]>>;
  /** What is left of ten steps without the steps, less the same of the bare workflow. */
  readonly fixed: Readonly<Record<'change' | 'check', readonly number[]>>;
}

/**
 * T(20) − T(10) of the engine's changes, its checks and the bare workflow's activities, in turns; T is from asking for the
 * run (row and start, as the API does it) to its result.
 */
export async function measureSteps(worker: MeasuredWorker, turns: Pick<BenchOptions, 'rounds' | 'warmUp'>): Promise<StepCosts> {
  const engine = (runbook: string) => async () => await timed(async () => await result(worker, await worker.request(runbook)));
  const bare = (count: number) => async () => await timed(async () => await bareRun(worker, count));
  const taken = await interleaved(
    {
      bare10: bare(10),
      bare20: bare(20),
      change10: engine('changes-10'),
      change20: engine('changes-20'),
      check10: engine('checks-10'),
      check20: engine('checks-20'),
    },
    turns,
  );
  const bareCost = costs(taken.bare10, taken.bare20);
  const change = costs(taken.change10, taken.change20);
  const check = costs(taken.check10, taken.check20);
  const less = (one: readonly number[]): number[] => one.map((value, round) => value - (bareCost.fixed[round] ?? 0));
  return {
    marginal: { bare: bareCost.marginal, change: change.marginal, check: check.marginal },
    fixed: { change: less(change.fixed), check: less(check.fixed) },
  };
}

function costs(ten: readonly number[], twenty: readonly number[]): { marginal: number[]; fixed: number[] } {
  const marginal = ten.map((took, round) => ((twenty[round] ?? 0) - took) / 10);
  return { marginal, fixed: ten.map((took, round) => took - 10 * (marginal[round] ?? 0)) };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = nowMs();
  await work();
  return nowMs() - began;
}

async function result({ client }: MeasuredWorker, run: string): Promise<unknown> {
  return await client.workflow.getHandle(run).result();
}

async function bareRun({ client, taskQueue }: MeasuredWorker, count: number): Promise<unknown> {
  return await client.workflow.execute('bareSteps', { taskQueue, workflowId: `bare/${ulid()}`, args: [count] });
}
