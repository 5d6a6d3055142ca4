import { asyncLocalStorage, type Context } from '@temporalio/activity';
import type { Logger } from 'pino';

const attempts = new WeakMap<Context, (error: unknown) => void>();

export interface Strays {
  /** Aborted when a promise that nobody awaited was rejected in this attempt. */
  readonly signal: AbortSignal;
  /** Rejects with it. */
  readonly thrown: Promise<never>;
}

/** A rejection that nobody awaited ends the attempt in which it arose. */
export function catchStrays(context: Context): Strays {
  const abort = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  attempts.set(context, (error) => {
    abort.abort(error);
    reject(error);
  });
  return { signal: abort.signal, thrown: promise };
}

/** For the process: such a rejection fails its own attempt, and the worker with all its other attempts lives on. */
export function liveWithStrays(log: Logger): (error: unknown) => void {
  return (error) => {
    const context = asyncLocalStorage.getStore();
    const fail = context && attempts.get(context);
    log.error({ err: error, activity: context?.info.activityType }, 'a promise was rejected and nobody awaited it');
    fail?.(error);
  };
}
