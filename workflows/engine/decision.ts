import { CancellationScope, condition, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { engineWork, type Asking, type EngineActivities } from '../../activities/engine/contract.ts';
import { wholeRun, type Authorisation, type Choice, type DecisionMessage } from '../../domain/decision.ts';
import type { RunState } from '../../domain/run.ts';
import type { StepState } from '../../domain/step.ts';
import { refusal } from './failure.ts';
import { show, type OpenQuestion, type RunMemory } from './state.ts';
import { call, verbs } from './work.ts';

export const engine = verbs<EngineActivities>('engine', engineWork);

export const decideUpdate = defineUpdate<Authorisation, [DecisionMessage]>('decide');
export const decidedSignal = defineSignal<[DecisionMessage]>('decided');

/**
 * Sets the handlers of decisions; before the first await, since messages may come before the run's first line. Update and
 * Signal end in the same handler: only what the activity `authorise` accepts counts.
 */
export function hearDecisions(memory: RunMemory, onCancel: (by: string) => void): void {
  const hear = async (message: DecisionMessage): Promise<Authorisation> => {
    const stale = whyNot(memory, message);
    const asked = stale === undefined ? message : { ...message, refuse: stale };
    const verdict = await CancellationScope.nonCancellable(() => call(engine.authorise, asked, undefined, `${message.choice}: does it count?`));
    if (!verdict.counts || verdict.settled === null) return verdict;
    if (message.approval === wholeRun) onCancel('a decision');
    else answer(memory, message, verdict.settled);
    return verdict;
  };
  setHandler(decideUpdate, hear, {
    validator: (message) => {
      const stale = whyNot(memory, message);
      if (stale !== undefined) throw refusal('conflict', stale);
    },
  });
  setHandler(decidedSignal, async (message) => {
    await hear(message);
  });
}

/** Why a decision can't be taken as things stand; undefined when it can. Synchronous: an async validator never rejects. */
function whyNot(memory: RunMemory, message: DecisionMessage): string | undefined {
  if (memory.state === 'closed') return 'the run is closed';
  if (message.approval === wholeRun) {
    if (message.choice !== 'cancel') return `a run can only be cancelled, not answered with "${message.choice}"`;
    if (memory.pastNoReturn) return 'the run is past its point of no return: it goes forward, a cancel changes nothing';
    if (memory.cancelled !== undefined || memory.state === 'rolling-back') return 'the run is going back already';
    return undefined;
  }
  const { question } = memory;
  if (!question || question.approval !== message.approval || question.answer !== undefined) {
    return `"${message.approval}" is not being asked now`;
  }
  if (question.opening !== message.opening || question.digest !== message.digest) {
    return `"${message.approval}" was asked again with another plan: look at it and decide anew`;
  }
  if (!question.choices.includes(message.choice)) return `"${message.choice}" is not one of the choices: ${question.choices.join(', ')}`;
  return undefined;
}

function answer(memory: RunMemory, message: DecisionMessage, settled: Choice): void {
  const { question } = memory;
  if (question && question.approval === message.approval && question.opening === message.opening) question.answer ??= settled;
}

export interface Answered {
  readonly answer: Choice | 'expired';
  /** Ends the question and shows how the run goes on. */
  close(state: RunState, step?: StepState, instead?: 'lapsed'): Promise<void>;
}

/** Asks people and waits for what is decided: their choice, or `expired`. A cancel of the run is the choice `cancel`. */
export async function ask(memory: RunMemory, asking: Omit<Asking, 'opening'>): Promise<Answered> {
  const opening = (memory.openings.get(asking.approval) ?? 0) + 1;
  memory.openings.set(asking.approval, opening);
  const question: OpenQuestion = { ...asking, opening };
  // Before people can see it: the first answer may be here before the activity's own.
  memory.question = question;
  await call(engine.ask, { ...asking, opening }, undefined, `asks: ${asking.approval}`);
  show(memory, asking.kind === 'parked' ? 'parked' : 'waiting');
  const answered = (): boolean => question.answer !== undefined || memory.cancelled !== undefined;
  if (asking.deadlineMs === undefined) await condition(answered);
  else await condition(answered, asking.deadlineMs);
  const said = question.answer ?? (memory.cancelled === undefined ? 'expired' : 'cancel');
  delete memory.question;
  return {
    answer: said,
    close: async (state, step, instead) => {
      const { approval, generation } = asking;
      await call(engine.closeQuestion, { approval, opening, generation, answer: instead ?? said, state, ...(step ? { step } : {}) });
      show(memory, state);
    },
  };
}
