import type { Context } from '@temporalio/activity';
import { Failure } from '../domain/failure.ts';

/** What the attempts at a step hand on to each other. */
interface Handed {
  readonly saved?: unknown;
  /** Milliseconds since 1970. */
  readonly failingSince?: number;
}

/** A step that waits may look for days; that it can't even look is told after this time. */
const mayFailForMs = 900_000;

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
  /** The attempt has looked, so its like don't count as failing in a row. */
  looked(): void;
  /** The attempt has failed: whether that goes on for so long that people are to be asked, however many attempts are left. */
  failsForTooLong(): boolean;
  stop(): void;
}

/** Beats four times in a heartbeat timeout, whatever the activity is doing; the first one by interval, not at the start. */
export function startHeartbeat(context: Context): Heartbeat {
  const timeout = context.info.heartbeatTimeoutMs ?? 0;
  // Only this file writes them.
  let handed = (context.info.heartbeatDetails ?? {}) as Handed;
  const { saved: checkpoint } = handed;
  const hand = (next: Handed): void => {
    handed = next;
    if (timeout > 0) context.heartbeat(handed);
  };
  let last = Date.now();
  let stoodStill = false;
  const look = (): void => {
    stoodStill ||= timeout > 0 && Date.now() - last > timeout;
    last = Date.now();
  };
  const beat = (): void => {
    look();
    if (!stoodStill) context.heartbeat(handed);
  };
  const timer = timeout === 0 ? undefined : setInterval(beat, Math.max(100, Math.min(1_000, timeout / 4)));
  return {
    checkpoint,
    save: (saved) => hand({ ...handed, saved }),
    alive: () => {
      look();
      if (stoodStill)
        throw new Failure('superseded', `this worker stood still for more than ${timeout} ms, so the step is another attempt's`);
    },
    looked: () => {
      if (handed.failingSince !== undefined) hand({ saved: handed.saved });
    },
    failsForTooLong: () => {
      const { failingSince = Date.now() } = handed;
      hand({ ...handed, failingSince });
      return Date.now() - failingSince > mayFailForMs;
    },
    stop: () => clearInterval(timer),
  };
}
