import { condition, allHandlersFinished, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { RunResult, RunStart } from '../../domain/run.ts';
import { carried, type Carried } from './carried.ts';
import { Ending } from './failure.ts';
import type { RunMemory } from './state.ts';

/**
 * A run is continued as new before its replay takes long: a worker that takes the run over replays its history, and each workflow
 * task has 10 s. The server also drops a workflow task now and then when many messages come at once, and the worker replays the
 * history after that. With a load of 18 on two cores a replay took 0.9 s for 502 events (80 judged updates) and 0.7 s for 1,658
 * events (1,600 signals). An execution of this length is also far from Temporal's limit of 2,000 updates.
 */
const longest = { events: 600, bytes: 4 * 1024 * 1024 };

/** Characters of memory that the next execution may begin with. Temporal takes 2 MB; a run that carries more stays as it is. */
const mostCarried = 1_000_000;

interface ContinuedStart extends RunStart {
  readonly carried?: Carried;
}

/** Whether the run is to be continued as new at its next safe place. Grows with the history, so it may be asked at any time. */
export function hasGrown(memory: RunMemory): boolean {
  const { historyLength, historySize, continueAsNewSuggested } = workflowInfo();
  if (!continueAsNewSuggested && historyLength < longest.events && historySize < longest.bytes) return false;
  return JSON.stringify(carried(memory)).length <= mostCarried;
}

/**
 * Thrown where no activity is at work: between two steps, and while people are asked. The story of the next execution passes over
 * the steps that are settled, and asks the open question again under the same number.
 */
export function toContinue(): Ending {
  return new Ending('continue', 'the history has grown');
}

export function isToContinue(error: unknown): boolean {
  return error instanceof Ending && error.how === 'continue';
}

/** Every message that has come is judged first; later ones go to the next execution. */
export async function continueRun(memory: RunMemory, start: RunStart): Promise<RunResult> {
  await condition(allHandlersFinished);
  const next: ContinuedStart = { ...start, carried: carried(memory) };
  return await continueAsNew<(start: ContinuedStart) => Promise<RunResult>>(next);
}

/**
 * What an earlier execution of the run carries over; undefined for the first one. Only Temporal itself says that an execution
 * continues another one: a memory that somebody gives to a start is ignored, and the run is admitted as any other. A cron schedule
 * and a retry policy repeat the input of a start, and runs have neither.
 */
export function carriedTo(start: RunStart | undefined): Carried | undefined {
  const { continuedFromExecutionRunId, cronSchedule, retryPolicy } = workflowInfo();
  if (continuedFromExecutionRunId === undefined || cronSchedule || retryPolicy) return undefined;
  return (start as ContinuedStart | undefined)?.carried;
}
