import { CancellationScope, condition, defineSignal, defineUpdate, log, setHandler } from '@temporalio/workflow';
import type { Asked, Asking, Judging } from '../../activities/engine/contract.ts';
import { wholeRun, type Authorisation, type Choice, type DecidedBy, type DecisionMessage } from '../../domain/decision.ts';
import type { PlanOutline } from '../../domain/plan.ts';
import type { RunState } from '../../domain/run.ts';
import type { StepState } from '../../domain/step.ts';
import { hasGrown, toContinue } from './continue.ts';
import { refusal } from './failure.ts';
import { show, type OpenQuestion, type RunMemory } from './state.ts';
import { call, engine, leaveTheSpot } from './work.ts';

const decideUpdate = defineUpdate<Authorisation, [DecisionMessage]>('decide');
const decidedSignal = defineSignal<[DecisionMessage]>('decided');

/**
 * Sets the handlers of decisions; before the first await, since messages may come before the run's first line. Update and
 * Signal end in the same handler: only what the activity `authorise` accepts counts. Whatever a Signal brings, it ends no run.
 */
export function hearDecisions(memory: RunMemory, onCancel: (by: DecidedBy) => void): void {
  setHandler(decideUpdate, (message) => hear(memory, message, onCancel), {
    validator: (message) => {
      const stale = whyNotNow(memory, message);
      if (stale !== undefined) throw refusal('conflict', stale);
    },
  });
  setHandler(decidedSignal, async (message) => {
    try {
      await hear(memory, message, onCancel);
    } catch (error) {
      log.warn('a decision could not be judged', { error });
    }
  });
}

async function hear(memory: RunMemory, message: DecisionMessage, onCancel: (by: DecidedBy) => void): Promise<Authorisation> {
  if (!isDecision(message)) return { counts: false, because: 'the message is not a decision' };
  const late = whyNotNow(memory, message);
  return await inTurn(memory, async () => {
    await condition(() => memory.question?.opens !== true);
    // What came first may have settled it.
    const refuse = late ?? whyNot(memory, message);
    const asked = judging(memory, message, refuse);
    const { confirmed, ...verdict } = await call(engine.authorise, asked, undefined, `${message.choice}: does it count?`);
    if (!verdict.counts || verdict.settled === null) return verdict;
    // Confirming may have taken long: a cancel is to be heard before the next change.
    if (asked.confirm && !confirmed) leaveTheSpot();
    if (message.approval === wholeRun) onCancel(verdict.by);
    else answer(memory, message, verdict.settled, verdict, confirmed);
    return verdict;
  });
}

/**
 * Of the message only what a decision consists of: its sender may have added to it. An answer that gives the approval is confirmed
 * with its judgement, unless the run is about to go back.
 */
function judging({ question, cancelled, lease }: RunMemory, message: DecisionMessage, refuse: string | undefined): Judging {
  const { approval, opening, digest, choice, decisionId } = message;
  const asked = { approval, opening, digest, choice, decisionId };
  if (refuse !== undefined) return { ...asked, refuse };
  if (choice !== 'approve' || cancelled !== undefined || question?.approval !== approval || !question.covers) return asked;
  return { ...asked, confirm: { plan: { ...question.covers, agreed: question.digest }, takesLease: !lease } };
}

/** One judgement after the other, in the order in which the messages came: of two that settle a question the first one does. */
async function inTurn<Result>(memory: RunMemory, judge: () => Promise<Result>): Promise<Result> {
  const before = memory.judging;
  const mine = before.then(() => CancellationScope.nonCancellable(judge));
  memory.judging = mine.catch(() => undefined);
  memory.unjudged += 1;
  try {
    return await mine;
  } finally {
    memory.unjudged -= 1;
  }
}

/** Until everybody who has spoken was heard. */
export async function allHeard(memory: RunMemory): Promise<void> {
  await condition(() => memory.unjudged === 0);
}

/** A message may hold anything: whoever reaches the Temporal server can send one. */
function isDecision(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'decisionId' in message && typeof message.decisionId === 'string';
}

/** Why a decision that comes now is too late or out of place; undefined when it can be judged. Synchronous, as a validator must be. */
function whyNotNow(memory: RunMemory, message: DecisionMessage): string | undefined {
  if (!isDecision(message)) return 'the message is not a decision';
  const stale = whyNot(memory, message);
  if (stale !== undefined || message.approval === wholeRun || memory.question?.late !== true) return stale;
  return `"${message.approval}" was not decided in time`;
}

/** Why a decision can't be taken as things stand. */
function whyNot(memory: RunMemory, message: DecisionMessage): string | undefined {
  if (memory.state === 'closed') return 'the run is closed';
  if (message.approval === wholeRun) return whyNoCancel(memory, message);
  const { question } = memory;
  if (!question || question.approval !== message.approval || question.answer !== undefined) {
    return `"${message.approval}" is not being asked now`;
  }
  if ((question.opening !== message.opening && !question.opens) || question.digest !== message.digest) {
    return `"${message.approval}" was asked again with another plan: look at it and decide anew`;
  }
  if (!question.choices.includes(message.choice)) return `"${message.choice}" is not one of the choices: ${question.choices.join(', ')}`;
  return undefined;
}

function whyNoCancel(memory: RunMemory, message: DecisionMessage): string | undefined {
  if (message.choice !== 'cancel') return `a run can only be cancelled, not answered with "${message.choice}"`;
  if (memory.pastNoReturn) return 'the run is past its point of no return: it goes forward, a cancel changes nothing';
  if (memory.cancelled !== undefined || memory.state === 'rolling-back') return 'the run is going back already';
  if (memory.ending) return 'the run is ending already';
  return undefined;
}

function answer(
  memory: RunMemory,
  message: DecisionMessage,
  settled: Choice,
  { by, given }: { readonly by: DecidedBy; readonly given?: true },
  confirmed?: PlanOutline,
): void {
  const { question } = memory;
  if (!question || question.approval !== message.approval || question.opening !== message.opening) return;
  if (question.answer !== undefined) return;
  question.answer = settled;
  question.by = by;
  if (given) question.given = given;
  if (confirmed) question.confirmed = confirmed;
}

export interface Answered {
  readonly answer: Choice | 'expired';
  /** Who gave it; nobody did when it expired. */
  readonly by?: DecidedBy;
  /** It was given before the run was told anew: by now the facts may be those of its later steps. */
  readonly given?: true;
  /** The plan that was confirmed with it: the lease is taken, and the question closed. */
  readonly confirmed?: PlanOutline;
  /** Ends the question and shows how the run goes on. Harmless when it is ended already. */
  close(state: RunState, step?: StepState, instead?: 'lapsed'): Promise<void>;
}

/**
 * Asks people and waits for what is decided: their choice, or `expired`. A cancel of the run is the choice `cancel`. After a
 * reset an approval that was given to just this plan stands; what was asked and answered otherwise is asked anew. With `again` the
 * run may be continued as new meanwhile, and then asks the same question there. With `covers` an answer that gives the approval is
 * confirmed with its judgement.
 */
export async function ask(
  memory: RunMemory,
  asking: Omit<Asking, 'opening'>,
  more: Pick<OpenQuestion, 'again' | 'covers'> = {},
): Promise<Answered> {
  const { approval, kind, digest, choices } = asking;
  const opening = (memory.openings.get(approval) ?? 0) + 1;
  const question: OpenQuestion = { approval, kind, digest, choices, opening, opens: true, ...more };
  // Before people can see it: the first answer may be here before the activity's own.
  memory.question = question;
  let asked: Asked;
  try {
    asked = await opened(memory, question, asking);
  } catch (error) {
    // Whoever has spoken would wait for it for ever.
    delete memory.question;
    throw error;
  }
  show(memory, kind === 'parked' ? 'parked' : 'waiting');
  const said = await answerTo(memory, question, asked);
  delete memory.question;
  // A cancel is heard at any time: its person is not the question's.
  const by = said === 'cancel' ? memory.cancelled : question.by;
  const spoken = by && said !== 'expired' ? { by } : {};
  return {
    answer: said,
    ...spoken,
    ...(said === 'approve' && question.given ? { given: true } : {}),
    ...(said === 'approve' && question.confirmed ? { confirmed: question.confirmed } : {}),
    close: async (state, step, instead) => {
      const { opening } = question;
      const closing = { approval, kind, opening, generation: asking.generation, answer: instead ?? said, ...spoken, state };
      await call(engine.closeQuestion, step ? { ...closing, step } : closing);
      show(memory, state);
    },
  };
}

/** Opens it: the number that it is asked under, what people had said to it before a reset, and its times. */
async function opened(memory: RunMemory, question: OpenQuestion, asking: Omit<Asking, 'opening'>): Promise<Asked> {
  const asked = await call(engine.ask, { ...asking, opening: question.opening }, undefined, `asks: ${asking.approval}`);
  question.opening = asked.opening;
  question.opens = false;
  if (asked.answer !== null && question.answer === undefined) {
    question.answer = asked.answer;
    if (asked.by) question.by = asked.by;
  }
  memory.openings.set(asking.approval, asked.opening);
  return asked;
}

/** Waits for the answer until the deadline; meanwhile people are reminded, and others asked, as the policy has it. */
async function answerTo(memory: RunMemory, question: OpenQuestion, { leftMs, nudges = [] }: Asked): Promise<Choice | 'expired'> {
  const asked = Date.now();
  const answered = (): boolean => question.answer !== undefined || memory.cancelled !== undefined;
  const grown = (): boolean => question.again !== undefined && hasGrown(memory);
  const over = (): boolean => answered() || grown();
  // No time left is a timer of its own still: what came before it is heard first.
  const within = async (ms: number): Promise<boolean> => await condition(over, Math.max(1, asked + ms - Date.now()));
  for (const { place, inMs } of nudges) {
    if (await within(inMs)) break;
    await inTurn(memory, async () => await nudged(memory, question, place));
  }
  if (leftMs === undefined) await condition(over);
  else question.late = !(await within(leftMs));
  await allHeard(memory);
  if (!answered() && question.late !== true && grown()) throw toContinue();
  return question.answer ?? (memory.cancelled === undefined ? 'expired' : 'cancel');
}

/** With other people asked, what has been said may be enough. */
async function nudged(memory: RunMemory, question: OpenQuestion, place: number): Promise<void> {
  if (question.answer !== undefined || memory.cancelled !== undefined) return;
  const { approval, opening } = question;
  const { settled, by } = await call(engine.nudge, { approval, opening, place }, undefined, `reminds, or asks others: ${approval}`);
  if (settled === null || !by) return;
  question.answer = settled;
  question.by = by;
}
