import type { Context } from '@temporalio/activity';
import { Failure } from '../domain/failure.ts';

export interface Heartbeat {
  /** What an earlier attempt saved. */
  readonly checkpoint: unknown;
  /** From now on every beat carries it. */
  save(checkpoint: unknown): void;
  /**
   * Throws `superseded` when this process stood still (or the machine slept) for longer than the heartbeat timeout: Temporal has
   * given the step to another attempt then, and nobody else would notice before this one acts.
   */
  alive(): void;
  stop(): void;
}

/** Beats four times in a heartbeat timeout, whatever the activity is doing; the first one by interval, not at the start. */
export function startHeartbeat(context: Context): Heartbeat {
  const timeout = context.info.heartbeatTimeoutMs ?? 0;
  let checkpoint: unknown = context.info.heartbeatDetails;
  let last = Date.now();
  let stoodStill = false;
  const look = (): void => {
    stoodStill ||= timeout > 0 && Date.now() - last > timeout;
    last = Date.now();
  };
  const beat = (): void => {
    look();
    if (!stoodStill) context.heartbeat(checkpoint);
  };
  const timer = timeout === 0 ? undefined : setInterval(beat, Math.max(100, Math.min(1_000, timeout / 4)));
  return {
    checkpoint,
    save: (saved) => {
      checkpoint = saved;
      context.heartbeat(saved);
    },
    alive: () => {
      look();
      if (stoodStill)
        throw new Failure('superseded', `this worker stood still for more than ${timeout} ms, so the step is another attempt's`);
    },
    stop: () => clearInterval(timer),
  };
}
