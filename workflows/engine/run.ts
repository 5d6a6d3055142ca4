import { allHandlersFinished, ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import type { Admission } from '../../activities/engine/contract.ts';
import type { DecidedBy } from '../../domain/decision.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { RunResult, RunStart } from '../../domain/run.ts';
import { approval, makePlan } from './approval.ts';
import { restored } from './carried.ts';
import { carriedTo, continueRun, isToContinue } from './continue.ts';
import { allHeard, hearDecisions } from './decision.ts';
import { Ending, refusal, reportOf } from './failure.ts';
import { parked } from './parked.ts';
import { isSettled, lineOf, newMemory, show, standingOf, stopSteps, type RunMemory } from './state.ts';
import { awaitLease, endIfCancelled, step, type StepOptions } from './step.ts';
import { goBack } from './undo.ts';
import { call, engine, type Verb } from './work.ts';

/** What a story writes with. `Id` are the ids of its plan, `Subject` is what its steps are told. */
export interface Run<Id extends string, Subject> {
  step<Result>(id: Id, verb: Verb<Subject, Result>, options?: StepOptions<Subject, Id>): Promise<Result | undefined>;
  approval(id: Id): Promise<void>;
  /** From the beginning of the first of these steps that was done to the end of the last one; undefined when one is missing. */
  seconds(from: readonly Id[], to: Id): number | undefined;
}

export interface Told {
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Digest of the newest facts. */
  readonly facts: string;
}

/**
 * Follows a story from admission to its outcome: admit, plan, the story's steps, and on the way down the undos. Everything runs
 * shielded from Temporal's own cancel, which is heard as a decision of the actor "Temporal".
 */
export async function follow<Id extends string, Subject>(
  runbook: string,
  start: RunStart,
  subject: (told: Told) => Subject,
  story: (run: Run<Id, Subject>) => Promise<void>,
): Promise<RunResult> {
  const earlier = carriedTo(start);
  const memory = earlier ? restored(runbook, earlier) : newMemory(runbook);
  const cancel = (by: DecidedBy): void => {
    if (memory.pastNoReturn || memory.ending) return;
    memory.cancelled ??= by;
    memory.scope?.cancel();
  };
  hearDecisions(memory, cancel);
  CancellationScope.current().cancelRequested.catch(() => cancel({ person: 'Temporal' }));
  return await CancellationScope.nonCancellable(async () => {
    try {
      return await followed(memory, start, subject, story);
    } catch (ending) {
      if (!isToContinue(ending)) throw ending;
      memory.continues = true;
    } finally {
      if (!memory.continues) await shut(memory);
    }
    return await continueRun(memory, start);
  });
}

async function shut(memory: RunMemory): Promise<void> {
  show(memory, 'closed');
  await condition(allHandlersFinished);
}

async function followed<Id extends string, Subject>(
  memory: RunMemory,
  start: RunStart | undefined,
  subject: (told: Told) => Subject,
  story: (run: Run<Id, Subject>) => Promise<void>,
): Promise<RunResult> {
  memory.admission ??= await admitted(memory.runbook, start);
  const result = await ended(memory, async () => {
    endIfCancelled(memory);
    if (memory.outline) show(memory);
    else await begin(memory);
    await toTheEnd(async () => await story(wordsOf<Id, Subject>(memory, subject)));
  });
  if (result.outcome !== 'needs-attention') return result;
  throw ApplicationFailure.create({
    message: result.because ?? 'needs attention',
    type: 'needs-attention',
    nonRetryable: true,
    details: [result],
  });
}

async function begin(memory: RunMemory): Promise<void> {
  if (memory.admission?.waits) await awaitLease(memory);
  await makePlan(memory);
  show(memory, 'running');
}

/** Tells the story; from its beginning once more whenever people say that an earlier step is to be done again. */
async function toTheEnd(story: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await story();
      return;
    } catch (ending) {
      if (!(ending instanceof Ending && ending.how === 'again')) throw ending;
    }
  }
}

/** Who was not admitted ends as failed; a run that the API knows is closed as refused, with the reason. */
async function admitted(runbook: string, start: RunStart | undefined): Promise<Admission> {
  try {
    // Whoever started it by hand may have given no argument at all, or anything.
    const asked = { request: start?.request, input: start?.input } as RunStart;
    return await call(engine.admit, { ...asked, runbook }, undefined, 'admission');
  } catch (error) {
    const failure = reportOf(error);
    if (failure.code !== 'request-unknown') {
      await call(engine.close, { outcome: 'refused', because: failure.message, left: [], failure });
    }
    throw refusal(failure.code, failure.message);
  }
}

function wordsOf<Id extends string, Subject>(memory: RunMemory, subject: (told: Told) => Subject): Run<Id, Subject> {
  const told = (): Subject => {
    const { admission, outline } = memory;
    if (!admission || !outline) throw new Error('a story begins after admission and plan');
    return subject({ database: admission.database, input: admission.input, facts: outline.facts });
  };
  return {
    step: async (id, verb, options = {}) => await step(memory, id, verb, told(), options),
    approval: async (id) => await approval(memory, id),
    seconds: (from, to) => secondsBetween(memory, from, to),
  };
}

function secondsBetween(memory: RunMemory, from: readonly string[], to: string): number | undefined {
  const began = from.map((id) => memory.steps.get(id)?.began).find((time) => time !== undefined);
  const done = memory.steps.get(to)?.done;
  return began === undefined || done === undefined ? undefined : (done - began) / 1_000;
}

async function ended(memory: RunMemory, body: () => Promise<void>): Promise<RunResult> {
  try {
    await body();
    await allHeard(memory);
    endIfCancelled(memory);
  } catch (error) {
    return await endedEarly(memory, error);
  }
  memory.ending = true;
  return await close(memory, { outcome: 'succeeded' }, []);
}

async function endedEarly(memory: RunMemory, error: unknown): Promise<RunResult> {
  if (isToContinue(error)) throw error;
  if (error instanceof Ending) {
    memory.ending = true;
    if (error.how === 'go-back') return await wentBack(memory, error.message);
    return await close(memory, { outcome: 'aborted', because: error.message }, leftByAbort(memory));
  }
  const failure = reportOf(error);
  if (isOver(failure)) throw refusal(failure.code, failure.message);
  memory.failure = failure;
  if (memory.changed) return await endedEarly(memory, await whatPeopleSay(memory, failure));
  memory.ending = true;
  return await wentBack(memory, failure.message);
}

/** The run was closed before and somebody has reset it: nobody can see or answer it, so it does nothing more, not even an undo. */
function isOver(failure: FailureReport): boolean {
  return failure.facts['closed'] === true;
}

/** A mistake of ours in the middle of a run. It does not go back by itself: that may undo a day's copy. */
async function whatPeopleSay(memory: RunMemory, failure: FailureReport): Promise<unknown> {
  const last = [...memory.steps.keys()].at(-1) ?? '';
  try {
    await parked(memory, lineOf(memory, last), failure, { choices: ['roll-back', 'abort'], stays: true });
    return new Error('nothing else could be answered');
  } catch (ending) {
    return ending;
  }
}

/** What an undo would have taken back; past the point of no return what would still have been done. */
function leftByAbort(memory: RunMemory): string[] {
  const undone = memory.undos.map((one) => one.title);
  if (!memory.pastNoReturn) return undone;
  const steps = memory.outline?.steps ?? [];
  const open = steps.filter((one) => one.applies && one.kind === 'change' && !isSettled(standingOf(memory, one.id)));
  return [...undone, ...open.map((one) => `not done: ${one.title}`)];
}

async function wentBack(memory: RunMemory, because: string): Promise<RunResult> {
  const left = memory.undos.length > 0 ? await goBack(memory) : [];
  const outcome = left.length > 0 ? 'needs-attention' : memory.changed ? 'rolled-back' : 'refused';
  return await close(memory, { outcome, because }, left);
}

async function close(memory: RunMemory, result: RunResult, left: readonly string[]): Promise<RunResult> {
  const { failure } = memory;
  stopSteps(memory);
  await call(engine.close, {
    outcome: result.outcome,
    left,
    ...(result.because === undefined ? {} : { because: result.because }),
    ...(failure === undefined ? {} : { failure }),
  });
  return left.length === 0 ? result : { ...result, left };
}
