import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { byText } from '../../domain/decision.ts';
import type { FailureCode } from '../../domain/failure.ts';
import type { OutlineStep } from '../../domain/plan.ts';
import { takePending } from './carried.ts';
import { hasGrown, toContinue } from './continue.ts';
import { allHeard } from './decision.ts';
import { Ending, reportOf } from './failure.ts';
import { standStill } from './freeze.ts';
import { isTakenBack, parked, serviceFirst, startAgain } from './parked.ts';
import { isSettled, lineOf, show, standingOf, type RunMemory, type StepStanding } from './state.ts';
import { call, engine, type Verb } from './work.ts';

export interface StepOptions<Input, Id extends string = string> {
  /** Takes the change back; every `change` that leaves something behind names one. */
  readonly undo?: Verb<Input, unknown>;
  /**
   * The earlier step that "start again" begins with: a step that waits can't make come what an earlier one has lost. All undos from
   * there on are run, the last one first, and the story goes on from there. Approvals in between are asked again.
   */
  readonly redo?: Id;
  /**
   * The earlier step since which traffic is held up. When this one fails, service comes first: everything from there on is taken back
   * before people are asked, and "start again" begins with that step.
   */
  readonly heldSince?: Id;
}

/**
 * One step of the plan. Passed over when the plan says that it does not apply, and with its result of before when it was done
 * and the story is begun anew. When it fails it parks the run, and people decide; it returns when it is done (or skipped, or
 * marked done: then without a result).
 */
export async function step<Input, Result>(
  memory: RunMemory,
  id: string,
  verb: Verb<Input, Result>,
  input: Input,
  options: StepOptions<Input>,
): Promise<Result | undefined> {
  const line = lineOf(memory, id);
  const standing = standingOf(memory, id);
  if (!line.applies) {
    standing.state = 'absent';
    return undefined;
  }
  // Put there by this very step.
  if (isSettled(standing)) return memory.results.get(id) as Result | undefined;
  const work = async (): Promise<Result> => {
    if (line.kind === 'change') {
      await takeLease(memory);
      // A cancel that has come is judged before anything more is changed.
      await allHeard(memory);
      endIfCancelled(memory);
      return await begun(memory, async () => await attempt(memory, line, verb, input, options));
    }
    return await attempt(memory, line, verb, input, options);
  };
  const { redo, heldSince } = options;
  // Nothing waits for a new execution while traffic is held up.
  if (heldSince === undefined && memory.pending === undefined && hasGrown(memory)) throw toContinue();
  const result = await tried(memory, line, work, { redo, heldSince });
  memory.results.set(id, result);
  return result;
}

/** A change that a freeze has stopped did not begin: it leaves nothing to take back. */
async function begun<Result>(memory: RunMemory, act: () => Promise<Result>): Promise<Result> {
  const { changed, undos } = memory;
  memory.changed = true;
  memory.undos = [...undos];
  try {
    return await act();
  } catch (error) {
    if (reportOf(error).code === 'frozen') {
      memory.changed = changed;
      memory.undos = undos;
    }
    throw error;
  }
}

interface Failing {
  /** Comes before people are asked. */
  onFailure?(): Promise<void>;
  readonly redo?: string | undefined;
  readonly heldSince?: string | undefined;
}

/**
 * Tries the work until it is done, or people pass over it or end the run. Before any change there is nothing to decide: a failure
 * refuses the run.
 */
export async function tried<Result>(
  memory: RunMemory,
  line: OutlineStep,
  work: () => Promise<Result>,
  { onFailure, redo, heldSince }: Failing = {},
): Promise<Result | undefined> {
  const standing = standingOf(memory, line.id);
  const pending = takePending(memory, line.id, 'parked');
  if (pending) {
    await parked(memory, line, pending.failure, pending);
    if (isPassedOver(standing)) return undefined;
    await mayBegin(memory, line, pending.failure.code);
  }
  for (;;) {
    endIfCancelled(memory);
    try {
      return await work();
    } catch (error) {
      if (error instanceof Ending) throw error;
      const { code } = reportOf(error);
      // Nobody waits for the end of a freeze with traffic held up: it stands still at the step that holds it up.
      if (code === 'frozen' && heldSince !== undefined && heldSince !== line.id) await startAgain(memory, line, heldSince);
      else if (code !== 'frozen') {
        await onFailure?.();
        await afterFailure(memory, line, error, { redo, heldSince });
        if (isPassedOver(standing)) return undefined;
      }
      await mayBegin(memory, line, code);
    }
  }
}

function isPassedOver({ state }: StepStanding): boolean {
  return state === 'skipped' || state === 'marked-done';
}

/** After a failure of this code; a change waits for the end of a freeze. */
async function mayBegin(memory: RunMemory, line: OutlineStep, failed: FailureCode): Promise<void> {
  endIfCancelled(memory);
  if (line.kind === 'change' && line.onOwnThings !== true && !underWay(line, failed)) await standStill(memory, line);
}

/** The old side serves after these; after any other failure of the step without return traffic may be held up still. */
const servesOn: readonly FailureCode[] = [
  'frozen',
  'source-busy',
  'statement-timeout',
  'statement-cancelled',
  'objects-differ',
  'switch-abandoned',
];

/** Whether it is in the middle of what must be brought to an end, freeze or not. */
function underWay(line: OutlineStep, failed: FailureCode): boolean {
  return line.pointOfNoReturn && !servesOn.includes(failed);
}

/** Before the first change, and again when it was lost: after a reset the run may take it back. */
export async function takeLease(memory: RunMemory): Promise<void> {
  if (memory.lease) return;
  await call(engine.takeLease, { database: memory.admission?.database ?? '' }, undefined, 'takes the lease');
  memory.lease = true;
}

/** Stands in line until the run has the lease. A cancel ends that; when it does not come in time the run is refused. */
export async function awaitLease(memory: RunMemory): Promise<void> {
  show(memory, 'waiting');
  const scope = new CancellationScope({ cancellable: true });
  memory.scope = scope;
  try {
    await scope.run(() => call(engine.awaitLease, { database: memory.admission?.database ?? '' }, undefined, 'waits for the lease'));
    memory.lease = true;
    show(memory, 'planning');
  } catch (error) {
    endIfCancelled(memory);
    throw error;
  } finally {
    delete memory.scope;
  }
}

async function attempt<Input, Result>(
  memory: RunMemory,
  line: OutlineStep,
  verb: Verb<Input, Result>,
  input: Input,
  { undo }: StepOptions<Input>,
): Promise<Result> {
  const standing = standingOf(memory, line.id);
  const { generation } = standing;
  if (undo && !memory.undos.some((one) => one.step === line.id)) {
    // The stack holds undos of many inputs; each is called with the input that it was registered with.
    memory.undos.push({ step: line.id, title: line.title, generation, verb: undo as Verb<never, unknown>, input });
  }
  standing.state = 'running';
  standing.began ??= Date.now();
  delete memory.failure;
  show(memory, 'running');
  const scope = new CancellationScope({ cancellable: true });
  memory.scope = scope;
  try {
    const result = await scope.run(() => call(verb, input, { step: line.id, generation, undo: false }, line.title));
    standing.state = 'done';
    standing.done = Date.now();
    if (line.pointOfNoReturn) passNoReturn(memory);
    return result;
  } finally {
    delete memory.scope;
  }
}

function passNoReturn(memory: RunMemory): void {
  memory.pastNoReturn = true;
  memory.undos = [];
  delete memory.cancelled;
}

/** A cancel is heard between steps, too. */
export function endIfCancelled(memory: RunMemory): void {
  if (memory.cancelled !== undefined && !memory.pastNoReturn) throw new Ending('go-back', `cancelled by ${byText(memory.cancelled)}`);
}

async function afterFailure(memory: RunMemory, line: OutlineStep, error: unknown, { redo, heldSince }: Failing): Promise<void> {
  if (line.pointOfNoReturn && (await call(engine.pastNoReturn, undefined))) passNoReturn(memory);
  endIfCancelled(memory);
  // The cancel came too late to be one: on with it.
  if (isCancellation(error) && memory.pastNoReturn) return;
  const failure = reportOf(error);
  if (failure.code === 'lease-lost') memory.lease = false;
  if (memory.changed) {
    if (heldSince !== undefined && isTakenBack(memory, line, failure)) await serviceFirst(memory, line, failure, heldSince);
    else await parked(memory, line, failure, { redo });
    return;
  }
  const standing = standingOf(memory, line.id);
  standing.state = 'failed';
  await call(engine.record, { steps: [{ id: line.id, state: 'failed', generation: standing.generation, failure }] });
  memory.failure = failure;
  throw new Ending('go-back', failure.message);
}
