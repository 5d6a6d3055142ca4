import { ApplicationFailure, Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Attempt, Effects } from '../activities/attempt.ts';
import type { StepCall } from '../activities/work.ts';
import type { Control } from '../control/contract.ts';
import { Failure } from '../domain/failure.ts';
import { redact } from '../domain/redaction.ts';
import { runNameOf, tagOf } from '../domain/run.ts';
import type { Before, Progress } from '../domain/step.ts';

type Effect = (input: unknown, attempt: Attempt) => Promise<unknown>;
type BoundActivity = (input: unknown, step: StepCall | null) => Promise<unknown>;

/**
 * A folder's activities as Temporal's, named `<folder>.<verb>`. Here alone an attempt meets Temporal: heartbeats, cancellation,
 * retries by failure code; and the control database: its number, its fence, the state of its step.
 */
export function bind<Activities>(folder: string, effects: Effects<Activities>, control: Control, log: Logger): Record<string, BoundActivity> {
  // Every effect is `(input, attempt) => Promise`; the input is what the contract's own caller passes.
  const verbs = Object.entries(effects) as [string, Effect][];
  return Object.fromEntries(verbs.map(([verb, effect]) => [`${folder}.${verb}`, bound(`${folder}.${verb}`, effect, control, log)]));
}

function bound(name: string, effect: Effect, control: Control, log: Logger): BoundActivity {
  return async (input, step) => {
    const context = Context.current();
    const beat = startHeartbeat(context);
    const run = context.info.workflowExecution?.workflowId ?? '';
    try {
      const { attempt, flush } = await attemptOf(context, beat, step, control, run);
      const result = await effect(input, attempt);
      await flush();
      if (step) await finished(control, run, step, result);
      return result ?? null;
    } catch (error) {
      throw asTemporal(error, context, name, log);
    } finally {
      beat.stop();
    }
  };
}

/** The step's state and, when it proved something, its evidence. An undo shows as undone. */
async function finished(control: Control, run: string, call: StepCall, result: unknown): Promise<void> {
  const { step, generation, undo } = call;
  if (!undo && typeof result === 'object' && result !== null) await control.runs.evidence(run, { [step]: result });
  await control.runs.change(run, { steps: [{ id: step, state: undo ? 'undone' : 'done', generation }] });
}

interface Heartbeat {
  checkpoint: unknown;
  stop(): void;
}

/** Beats at a third of the heartbeat timeout, whatever the activity is doing; the first one by interval, not at the start. */
function startHeartbeat(context: Context): Heartbeat {
  const timeout = context.info.heartbeatTimeoutMs;
  const beat: Heartbeat = { checkpoint: context.info.heartbeatDetails as unknown, stop: () => undefined };
  if (timeout === undefined || timeout === 0) return beat;
  const timer = setInterval(() => context.heartbeat(beat.checkpoint), Math.max(100, Math.min(1_000, timeout / 4)));
  beat.stop = () => clearInterval(timer);
  return beat;
}

async function attemptOf(
  context: Context,
  beat: Heartbeat,
  call: StepCall | null,
  control: Control,
  run: string,
): Promise<{ attempt: Attempt; flush: () => Promise<void> }> {
  const { step, generation, undo } = call ?? { step: 'engine', generation: 1, undo: false };
  const key = `${run}/${step}/${generation}${undo ? '/undo' : ''}`;
  const claimed = call ? await control.attempts.claim({ key, run, step, generation, undo }) : { number: 0, intended: null };
  const { number } = claimed;
  const { database } = runNameOf(run);
  const progress = progressWriter(async (news) => await control.runs.progress(run, step, news));
  const attempt: Attempt = {
    key,
    run,
    tag: tagOf(run),
    step,
    number,
    signal: context.cancellationSignal,
    progress: progress.show,
    checkpoint: beat.checkpoint,
    save: (checkpoint) => {
      beat.checkpoint = checkpoint;
      context.heartbeat(checkpoint);
    },
    current: async () => await control.attempts.current({ key, number, run, database, lease: true }),
    intend: async (before: Before) => await control.attempts.intend({ key, number, run, step, database, before }),
    settle: async (outcome) => await control.attempts.settle({ key, number, run, step }, outcome),
    intended: claimed.intended,
  };
  return { attempt, flush: progress.flush };
}

const progressEveryMs = 500;

/** Progress for people: at most two rows a second, the last one always. A row that can't be written costs the step nothing. */
function progressWriter(write: (progress: Progress) => Promise<void>): { show: (progress: Progress) => void; flush: () => Promise<void> } {
  let next: Progress | undefined;
  let writing: Promise<void> = Promise.resolve();
  let last = 0;
  const send = (): void => {
    const news = next;
    if (news === undefined) return;
    next = undefined;
    last = Date.now();
    writing = writing.then(() => write(news)).catch(() => undefined);
  };
  return {
    show: (progress) => {
      next = progress;
      if (Date.now() - last >= progressEveryMs) send();
    },
    flush: async () => {
      send();
      await writing;
    },
  };
}

/**
 * A failure as Temporal takes it: its code as the type, its facts as the details, retried or not by the code. When the activity
 * was cancelled, that is what is told, whatever it threw on its way out.
 */
function asTemporal(error: unknown, context: Context, name: string, log: Logger): unknown {
  if (context.cancellationSignal.aborted) return context.cancellationSignal.reason;
  const failure = error instanceof Failure ? error : new Failure('internal', redact(error instanceof Error ? error.message : String(error)), {}, error);
  const waits = failure.code === 'not-yet';
  if (!waits) log.warn({ activity: name, code: failure.code, run: context.info.workflowExecution?.workflowId, stack: redact(failure.stack ?? '') }, failure.message);
  const delay = failure.facts['retryAfterMs'];
  return ApplicationFailure.create({
    message: failure.message,
    type: failure.code,
    nonRetryable: !failure.retryable,
    details: [failure.facts],
    ...(typeof delay === 'number' ? { nextRetryDelay: delay } : {}),
    ...(waits ? { category: ApplicationFailureCategory.BENIGN } : {}),
  });
}
