import { Failure } from '../domain/failure.ts';

/** Says how many streams of events may be open at once. Of this process alone, as the streams are. */
export interface StreamLimit {
  /**
   * Counts a stream until what it gives back is called; twice is once. Throws `rate-limited` when the token has as many as it may,
   * `overloaded` when this API has.
   */
  open(token: string): () => void;
  /** How many are open. */
  count(): number;
}

/** Nobody knows when a stream ends; whoever is refused asks again after this time. */
const retryAfterSeconds = 10;

export function createStreamLimit({ inAll, perToken }: { inAll: number; perToken: number }): StreamLimit {
  const open = new Map<string, number>();
  let count = 0;
  const change = (token: string, by: 1 | -1): void => {
    count += by;
    const now = (open.get(token) ?? 0) + by;
    if (now === 0) open.delete(token);
    else open.set(token, now);
  };
  return {
    open: (token) => {
      if ((open.get(token) ?? 0) >= perToken) {
        const what = `the token ${token} has ${perToken} streams of events open, as many as it may; end one, or ask for pages`;
        throw new Failure('rate-limited', what, { token, perToken, retryAfterSeconds });
      }
      if (count >= inAll) {
        const what = `this API has ${inAll} streams of events open, as many as it may; ask for pages, or another API`;
        throw new Failure('overloaded', what, { inAll, retryAfterSeconds });
      }
      change(token, 1);
      let ended = false;
      return () => {
        if (!ended) change(token, -1);
        ended = true;
      };
    },
    count: () => count,
  };
}
