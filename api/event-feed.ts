import type { FastifyBaseLogger } from 'fastify';
import type { Events } from '../control/contract.ts';
import { repeat } from './repeat.ts';

/** Tells those who follow a run, or everything, that something was recorded. They read it themselves, at their own pace. */
export interface EventFeed {
  /** From now on; without a run: everything. Always `stop()` it. */
  follow(run?: string): Follower;
  /** Wakes everybody for the last time. */
  close(): Promise<void>;
}

export interface Follower {
  /** Resolves when something was recorded since `seen()`, after `ms`, or when the follower or the feed is stopped. */
  changed(ms: number): Promise<void>;
  /** To be called before reading: what is recorded from here on counts as new. */
  seen(): void;
  readonly stopped: boolean;
  stop(): void;
}

const lookEveryMs = 300;
const atMost = 500;

/**
 * One look at the control database serves all followers of this process; without followers there is none. The order of `seq` is
 * the order of commits, so nothing is ever recorded behind the place that was looked at.
 */
export function createEventFeed(events: Pick<Events, 'list' | 'last'>, log: FastifyBaseLogger): EventFeed {
  const followers = new Set<{ run: string | undefined; wake(): void; stop(): void }>();
  let head: number | undefined;
  const look = async (): Promise<void> => {
    if (followers.size === 0) {
      head = undefined;
      return;
    }
    if (head === undefined) {
      head = await events.last();
      // What was recorded between a follower's first reading and this is nobody's news otherwise.
      for (const one of followers) one.wake();
      return;
    }
    const rows = await events.list({ after: head, limit: atMost });
    head = rows.at(-1)?.seq ?? head;
    const runs = new Set(rows.map((row) => row.run));
    for (const one of followers) if (rows.length > 0 && (one.run === undefined || runs.has(one.run))) one.wake();
  };
  const looking = repeat('looking for new events', lookEveryMs, look, log);
  return {
    follow: (run) => {
      const follower = createFollower(() => followers.delete(listed));
      const listed = { run, wake: follower.wake, stop: follower.stop };
      followers.add(listed);
      return follower;
    },
    close: async () => {
      for (const one of followers) one.stop();
      await looking.stop();
    },
  };
}

function createFollower(gone: () => void): Follower & { wake(): void } {
  let news = false;
  let stopped = false;
  let ring: () => void = () => undefined;
  return {
    wake: () => {
      news = true;
      ring();
    },
    seen: () => {
      news = false;
    },
    changed: async (ms) => {
      if (news || stopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        ring = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    get stopped() {
      return stopped;
    },
    stop: () => {
      stopped = true;
      gone();
      ring();
    },
  };
}
