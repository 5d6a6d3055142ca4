import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import type { Attempt, Effects } from '../activities/attempt.ts';
import type { StepCall } from '../activities/work.ts';
import type { Control } from '../control/contract.ts';
import { isControlAway, type Failure, type FailureCode } from '../domain/failure.ts';
import { redactExcerpt } from '../domain/redaction.ts';
import { runNameOf, tagOf } from '../domain/run.ts';
import type { Before, Progress } from '../domain/step.ts';
import { asTemporal, failureOf } from './as-temporal.ts';
import { startHeartbeat, type Heartbeat } from './heartbeat.ts';
import { catchStrays, type Strays } from './stray-rejections.ts';

/** Characters of a failure's stack in the log. */
const stackLength = 16_000;

type Effect = (input: unknown, attempt: Attempt) => Promise<unknown>;
type BoundActivity = (input: unknown, step: StepCall | null) => Promise<unknown>;

/** The failures that end a verb. For a verb that is named here every other failure is tried again until it is mended. */
type Verdicts = Readonly<Partial<Record<string, readonly FailureCode[]>>>;

interface Binding {
  readonly name: string;
  readonly effect: Effect;
  readonly control: Control;
  readonly log: Logger;
  /** Whether the failure is to be tried again, where that is not for its code alone to say. */
  again?(failure: Failure): boolean;
}

/**
 * A folder's activities as Temporal's, named `<folder>.<verb>`. Here alone an attempt meets Temporal: heartbeats, cancellation,
 * retries by failure code; and the control database: its number, its fence, the state of its step.
 */
export function bind<Activities>(
  folder: string,
  effects: Effects<Activities>,
  control: Control,
  log: Logger,
  verdicts: Verdicts = {},
): Record<string, BoundActivity> {
  // Every effect is `(input, attempt) => Promise`; the input is what the contract's own caller passes.
  const verbs = Object.entries(effects) as [string, Effect][];
  return Object.fromEntries(
    verbs.map(([verb, effect]) => {
      const name = `${folder}.${verb}`;
      const ends = verdicts[verb];
      return [name, bound({ name, effect, control, log, ...(ends ? { again: (failure) => !ends.includes(failure.code) } : {}) })];
    }),
  );
}

function bound(binding: Binding): BoundActivity {
  return async (input, step) => {
    const { effect, control } = binding;
    const context = Context.current();
    const beat = startHeartbeat(context);
    const strays = catchStrays(context);
    const run = context.info.workflowExecution?.workflowId ?? '';
    let number: number | null = null;
    try {
      const { attempt, flush } = await attemptOf({ context, beat, strays, step, control, run });
      ({ number } = attempt);
      const result = await Promise.race([effect(input, attempt), strays.thrown]);
      await flush();
      if (step) {
        beat.alive();
        await finished(control, attempt, step, result);
      }
      return step ? inHistory(result, binding, run) : (result ?? null);
    } catch (caught) {
      const error = givenWay(beat, caught);
      if (step) await tellIfGivenWay(binding, { run, step, number }, error);
      throw await failed(binding, { context, beat, run, step }, error);
    } finally {
      beat.stop();
    }
  };
}

/** Whatever a process that stood still has met, such as a session that the next attempt has ended: it has given way. */
function givenWay(beat: Heartbeat, error: unknown): unknown {
  try {
    beat.alive();
    return error;
  } catch (superseded) {
    return superseded;
  }
}

/**
 * The step's state and, when it proved something, its evidence; what an earlier attempt has proved stands. An undo shows as undone.
 * An attempt that has given way says nothing.
 */
async function finished(control: Control, { key, number, run }: Attempt, call: StepCall, result: unknown): Promise<void> {
  const { step: id, generation, undo } = call;
  const proved = !undo && typeof result === 'object' && result !== null;
  const step = { id, state: undo ? 'undone' : 'done', generation } as const;
  await control.runs.finish(run, { key, number, step, ...(proved ? { evidence: { [id]: result } } : {}) });
}

/** The record says that there was an attempt that did not act any more, also when Temporal has long given it up. */
async function tellIfGivenWay(
  { control, log }: Binding,
  { run, step: { step, generation, undo }, number }: { run: string; step: StepCall; number: number | null },
  error: unknown,
): Promise<void> {
  const { code, message } = failureOf(error);
  if (code !== 'superseded') return;
  const data = { step, generation, undo, number, because: message };
  await control.events
    .append({ run, kind: 'attempt.superseded', actor: { kind: 'system', name: 'steadyhand', channel: 'engine' }, data })
    .catch((lost: unknown) =>
      log.warn({ run, step, because: failureOf(lost).message }, 'an attempt gave way, and that could not be recorded'),
    );
}

/**
 * What is told to Temporal. When the activity was cancelled, that is it, whatever it threw on its way out; Temporal's own core
 * tells a cancel from a worker that stops, whose attempt is begun again elsewhere.
 */
async function failed(
  { name, control, log, again }: Binding,
  { context, beat, run, step }: Pick<Begun, 'context' | 'beat' | 'run' | 'step'>,
  error: unknown,
): Promise<unknown> {
  if (context.cancellationSignal.aborted) return context.cancellationSignal.reason;
  const failure = failureOf(error);
  if (failure.code === 'not-yet') {
    beat.looked();
    return asTemporal(failure);
  }
  const { attempt } = context.info;
  const away = failure.code === 'superseded' || isControlAway(failure.code);
  const enough = step !== null && !away && beat.failsForTooLong();
  const told = asTemporal(failure, enough ? false : again?.(failure));
  log.warn({ activity: name, code: failure.code, run, attempt, stack: redactExcerpt(failure.stack ?? '', stackLength) }, told.message);
  if (step && !told.nonRetryable && !away) {
    // So that people see why it takes longer.
    const summary = `attempt ${attempt} failed: ${told.message.slice(0, 300)}`;
    await control.runs.progress(run, step.step, { summary }).catch(() => undefined);
  }
  return told;
}

/** Characters of a step's result that may stand in a run's history. */
const resultLength = 16_000;

/** The result for the story; one that is too long stands in the run's evidence alone, and the story gets none. */
function inHistory(result: unknown, { name, log }: Binding, run: string): unknown {
  const length = (JSON.stringify(result) ?? '').length;
  if (length <= resultLength) return result ?? null;
  log.error({ activity: name, run, length }, 'the result is too long for the history: it stands in the evidence only');
  return null;
}

interface Begun {
  readonly context: Context;
  readonly beat: Heartbeat;
  readonly strays: Strays;
  readonly step: StepCall | null;
  readonly control: Control;
  readonly run: string;
}

async function attemptOf({
  context,
  beat,
  strays,
  step: call,
  control,
  run,
}: Begun): Promise<{ attempt: Attempt; flush: () => Promise<void> }> {
  const { step, generation, undo } = call ?? { step: 'engine', generation: 1, undo: false };
  const base = `${run}/${step}/${generation}`;
  const key = undo ? `${base}/undo` : base;
  // The attempts at the step give way to its undo: one that comes back to life now must not act any more.
  if (undo) await control.attempts.claim({ key: base, run, step, generation, undo: false });
  const claimed = call ? await control.attempts.claim({ key, run, step, generation, undo }) : { number: 0, intended: null };
  const { number } = claimed;
  const progress = progressWriter(async (news) => await control.runs.progress(run, step, news));
  const attempt: Attempt = {
    key,
    run,
    // A workflow that has no run's name has no tag; its admission says so.
    get tag() {
      return tagOf(run);
    },
    step,
    number,
    signal: AbortSignal.any([context.cancellationSignal, strays.signal]),
    progress: progress.show,
    checkpoint: beat.checkpoint,
    save: beat.save,
    current: async () => {
      await control.attempts.current({ key, number, run, database: runNameOf(run).database });
      beat.alive();
    },
    alive: beat.alive,
    intend: async (before: Before) => {
      beat.alive();
      const first = await control.attempts.intend({ key, number, run, step, database: runNameOf(run).database, before });
      beat.alive();
      return first;
    },
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
