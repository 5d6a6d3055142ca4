import type { FastifyBaseLogger } from 'fastify';

/**
 * Does `work` again and again, `everyMs` after the last time ended, until it is stopped. An error is logged, once for as long as
 * it stays the same, and ends nothing. `ended` is called after each time. `stop()` waits for the work in hand.
 */
export function repeat(
  name: string,
  everyMs: number,
  work: () => Promise<void>,
  log: FastifyBaseLogger,
  ended: (succeeded: boolean) => void = () => undefined,
): { stop(): Promise<void> } {
  let stopped = false;
  let lastError = '';
  let timer: NodeJS.Timeout | undefined;
  const once = async (): Promise<void> => {
    try {
      await work();
      lastError = '';
      ended(true);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== lastError) log.warn({ err: error }, `${name} failed and is tried again`);
      lastError = text;
      ended(false);
    }
  };
  let atWork = Promise.resolve();
  const next = (): void => {
    timer = setTimeout(() => {
      atWork = once().then(() => (stopped ? undefined : next()));
    }, everyMs);
  };
  next();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await atWork;
    },
  };
}
