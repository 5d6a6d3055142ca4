import { Context } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { StepCall } from '../../activities/work.ts';
import type { Control } from '../../control/contract.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import { asTemporal } from '../../worker/as-temporal.ts';

/**
 * Where an attempt at a step can be met: before the activity begins, when its intent is written and nothing has been done, when
 * the effect is there and its outcome is not written, and when all is done and Temporal has not heard of it.
 */
export type Point = 'begun' | 'intended' | 'acted' | 'done';

export interface Fault {
  readonly step: string;
  readonly undo?: boolean;
  readonly point: Point;
  /** Runs once, inside the attempt; what it throws is what the attempt ends with. */
  readonly strike: () => Promise<void>;
}

export interface Faults {
  /** Waits for the run to come there. Resolves when it has struck; what the strike found wrong itself, such as an `expect`, is thrown. */
  set(run: string, fault: Fault): Promise<void>;
  /** From now on the first completion of every activity of the run is lost, the engine's own too: each runs twice. */
  twice(run: string): void;
  /** Faults of the run that have not struck, and those that the worker could not know: empty when all did. */
  waiting(run: string): string[];
  readonly interceptor: ActivityInterceptorsFactory;
  /** The control database as the worker sees it. */
  through(control: Control): Control;
}

interface Set extends Fault {
  readonly run: string;
  readonly struck: () => void;
  readonly broke: (error: unknown) => void;
}

/** Faults at exact places of a run, by an interceptor and a control database of the test's own worker: the product has no part in it. */
export function createFaults(): Faults {
  const set = new Map<Fault, Set>();
  const doubled = new Map<string, globalThis.Set<string>>();
  const meet = async (run: string, step: string, undo: boolean, point: Point): Promise<void> => {
    const fault = [...set.values()].find(
      (one) => one.run === run && one.step === step && (one.undo ?? false) === undo && one.point === point,
    );
    if (!fault) return;
    set.delete(fault);
    try {
      await fault.strike();
      fault.struck();
    } catch (error) {
      if (error instanceof Failure || error instanceof TemporalFailure) fault.struck();
      else fault.broke(error);
      throw error;
    }
  };
  return {
    set: async (run, fault) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const one: Set = { ...fault, run, struck: resolve, broke: reject };
      set.set(one, one);
      await promise;
    },
    twice: (run) => doubled.set(run, new globalThis.Set()),
    waiting: (run) => [...set.values()].filter((one) => one.run === run).map((one) => `${one.step} ${one.point}`),
    interceptor: (context) => ({
      inbound: {
        execute: async (input, next) => {
          const run = context.info.workflowExecution?.workflowId ?? '';
          const step = stepOf(input.args[1]);
          const at = async (point: Point): Promise<void> => {
            if (step) await meet(run, step.step, step.undo, point).catch(told);
          };
          await at('begun');
          const result = await next(input);
          await at('done');
          const seen = doubled.get(run);
          const call = `${context.info.workflowExecution?.runId} ${context.info.activityId}`;
          if (seen && !seen.has(call)) {
            seen.add(call);
            throw lost();
          }
          return result;
        },
      },
    }),
    through: (control) => ({
      ...control,
      attempts: {
        ...control.attempts,
        intend: async (intent) => {
          const first = await control.attempts.intend(intent);
          await meet(intent.run, intent.step, intent.key.endsWith('/undo'), 'intended');
          return first;
        },
        settle: async (intent, outcome) => {
          await meet(intent.run, intent.step, intent.key.endsWith('/undo'), 'acted');
          await control.attempts.settle(intent, outcome);
        },
      },
    }),
  };
}

/** The engine's second argument of every activity: which step it is called for, if it is for one. */
function stepOf(argument: unknown): StepCall | undefined {
  return typeof argument === 'object' && argument !== null && 'step' in argument && 'undo' in argument
    ? (argument as StepCall) // The engine passes nothing else there.
    : undefined;
}

/** As the worker tells a failure, around which the interceptor stands. */
function told(error: unknown): never {
  throw error instanceof Failure ? asTemporal(error) : error;
}

/** The worker's answer never reached Temporal. */
function lost(): ApplicationFailure {
  return ApplicationFailure.create({ message: 'the completion was lost', type: 'unreachable', nextRetryDelay: 1 });
}

/** A failure that no retry mends. */
export async function breaks(code: FailureCode = 'server-error'): Promise<never> {
  return await Promise.reject(new Failure(code, 'broken by the test'));
}

/** What is under way takes a while to stop; an undo that did not wait for it would begin within that time. */
const slowToStopMs = 700;

/** Holds the attempt, which lives and heartbeats, until it is told to stop; a while later it calls back, and the attempt stops. */
export async function untilCancelled(stopped: () => void): Promise<never> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(context.info.heartbeatDetails), 100);
  try {
    return await context.cancelled;
  } finally {
    await new Promise((resolve) => setTimeout(resolve, slowToStopMs));
    clearInterval(beat);
    stopped();
  }
}
