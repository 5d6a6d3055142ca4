import { allHandlersFinished, ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import type { Admission } from '../../activities/engine/contract.ts';
import type { RunResult, RunStart } from '../../domain/run.ts';
import { approval, makePlan } from './approval.ts';
import { engine, hearDecisions } from './decision.ts';
import { Ending } from './ending.ts';
import { refusal, reportOf } from './failure.ts';
import { newMemory, show, type RunMemory } from './state.ts';
import { endIfCancelled, step, type StepOptions } from './step.ts';
import { goBack } from './undo.ts';
import { call, type Verb } from './work.ts';

/** What a story writes with. `Id` are the ids of its plan, `Subject` is what its steps are told. */
export interface Run<Id extends string, Subject> {
  step<Result>(id: Id, verb: Verb<Subject, Result>, options?: StepOptions<Subject>): Promise<Result | undefined>;
  approval(id: Id): Promise<void>;
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
  const memory = newMemory(runbook);
  const cancel = (by: string): void => {
    if (memory.pastNoReturn || memory.state === 'rolling-back' || memory.state === 'closed') return;
    memory.cancelled ??= by;
    memory.scope?.cancel();
  };
  hearDecisions(memory, cancel);
  CancellationScope.current().cancelRequested.catch(() => cancel('Temporal'));
  return await CancellationScope.nonCancellable(async () => {
    memory.admission = await admitted(runbook, start);
    const run = wordsOf<Id, Subject>(memory, subject);
    const result = await ended(memory, async () => {
      await makePlan(memory);
      show(memory, 'running');
      await story(run);
    });
    await condition(allHandlersFinished);
    if (result.outcome === 'needs-attention') {
      throw ApplicationFailure.create({ message: result.because ?? 'needs attention', type: 'needs-attention', nonRetryable: true, details: [result] });
    }
    return result;
  });
}

/** Who was not admitted ends as failed; a run that the API knows is closed as refused, with the reason. */
async function admitted(runbook: string, start: RunStart): Promise<Admission> {
  try {
    return await call(engine.admit, { request: start.request, input: start.input, runbook }, undefined, 'admission');
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
  };
}

async function ended(memory: RunMemory, body: () => Promise<void>): Promise<RunResult> {
  try {
    await body();
    if (!memory.pastNoReturn) endIfCancelled(memory);
    return await close(memory, { outcome: 'succeeded' }, []);
  } catch (error) {
    if (error instanceof Ending && error.how === 'abort') {
      const left = memory.undos.map((one) => one.title);
      return await close(memory, { outcome: 'aborted', because: error.message }, left);
    }
    if (error instanceof Ending) return await wentBack(memory, error.message);
    if (!memory.changed) return await wentBack(memory, reportOf(error).message, reportOf(error));
    // A mistake of ours in the middle of a run: undo what can be undone rather than stand still for ever.
    const result = reportOf(error);
    const left = memory.pastNoReturn ? [] : await goBack(memory);
    return await close(memory, { outcome: 'needs-attention', because: result.message }, [...left, `the engine failed: ${result.message}`]);
  }
}

async function wentBack(memory: RunMemory, because: string, failure = memory.failure): Promise<RunResult> {
  const left = memory.undos.length > 0 ? await goBack(memory) : [];
  const outcome = left.length > 0 ? 'needs-attention' : memory.changed ? 'rolled-back' : 'refused';
  return await close(memory, { outcome, because }, left, failure);
}

async function close(memory: RunMemory, result: RunResult, left: readonly string[], failure = memory.failure): Promise<RunResult> {
  await call(engine.close, {
    outcome: result.outcome,
    left,
    ...(result.because === undefined ? {} : { because: result.because }),
    ...(failure === undefined ? {} : { failure }),
  });
  show(memory, 'closed');
  return left.length === 0 ? result : { ...result, left };
}

