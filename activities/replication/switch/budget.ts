import { Failure } from '../../../domain/failure.ts';
import type { Attempt } from '../../attempt.ts';

/** The time that writes may be held up, and what each part of the switch took of it. */
export interface Budget {
  /** Aborted when the budget is over, or the attempt is. Loops of the parts stop by it. */
  readonly signal: AbortSignal;
  /** Milliseconds of each part, in order; a part that failed is there too. */
  readonly parts: { part: string; ms: number }[];
  /** From here on writes are held up and the budget runs. */
  begin(): void;
  /** Milliseconds that are left, at least 1. */
  left(): number;
  /** Milliseconds since `begin`. */
  spent(): number;
  /** Does one part inside the budget. Throws `switch-abandoned` when the time is over, the signal's reason when it is aborted. */
  part<Result>(name: string, act: () => Promise<Result>): Promise<Result>;
  /** Does one part that must not be given up half-way, and only measures it. */
  measured<Result>(name: string, act: () => Promise<Result>): Promise<Result>;
  end(): void;
}

export function createBudget(pauseMs: number, attempt: Attempt): Budget {
  const over = new AbortController();
  const parts: { part: string; ms: number }[] = [];
  let begun = performance.now();
  let now = 'begin';
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => over.abort(attempt.signal.reason);
  attempt.signal.addEventListener('abort', cancel, { once: true });
  if (attempt.signal.aborted) cancel();

  const measured = async <Result>(name: string, act: () => Promise<Result>): Promise<Result> => {
    now = name;
    attempt.progress({ summary: `switch: ${name}` });
    const from = performance.now();
    try {
      return await act();
    } finally {
      parts.push({ part: name, ms: round(performance.now() - from) });
    }
  };
  return {
    signal: over.signal,
    parts,
    begin: () => {
      begun = performance.now();
      timer = setTimeout(() => over.abort(tooLong(now, pauseMs)), pauseMs);
    },
    left: () => Math.max(1, Math.ceil(begun + pauseMs - performance.now())),
    spent: () => round(performance.now() - begun),
    measured,
    part: (name, act) => measured(name, () => untilAborted(over.signal, act)),
    end: () => {
      clearTimeout(timer);
      attempt.signal.removeEventListener('abort', cancel);
    },
  };
}

function tooLong(part: string, pauseMs: number): Failure {
  return new Failure('switch-abandoned', `the switch was not through after ${pauseMs} ms, it was at: ${part}`, { part, pauseMs });
}

async function untilAborted<Result>(signal: AbortSignal, act: () => Promise<Result>): Promise<Result> {
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    // The reason is a Failure of the budget's, or whatever the attempt was aborted with: it goes through as it is.
    stop = () => reject(signal.reason instanceof Error ? signal.reason : new Failure('cancelled', 'the attempt was aborted'));
    signal.addEventListener('abort', stop, { once: true });
  });
  const acting = act();
  // When the race is lost, the act's own end is of no interest any more.
  acting.catch(() => undefined);
  try {
    return await Promise.race([acting, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
