import { Failure } from '../domain/failure.ts';
import { createBuckets } from './buckets.ts';

/** Says how often each token may ask. Of this process alone: with several replicas a token may ask each of them as often. */
export interface RateLimit {
  /** Counts a request. Throws `rate-limited`, with the seconds to wait, when the token has asked too often; that costs it nothing. */
  take(token: string): void;
}

/** So many seconds' worth may come at once, after a quiet time. */
const burstSeconds = 10;

/** A bucket for each token, which holds ten seconds' worth of requests and is refilled `perSecond`. `now` is in milliseconds. */
export function createRateLimit(perSecond: number, now: () => number = Date.now): RateLimit {
  const buckets = createBuckets({ full: perSecond * burstSeconds, perSecond, now });
  return {
    take: (token) => {
      const retryAfterSeconds = buckets.wait(token);
      if (retryAfterSeconds === 0) return buckets.take(token);
      const what = `the token ${token} asks more than ${perSecond} times a second; it may ask again in ${retryAfterSeconds} s`;
      throw new Failure('rate-limited', what, { token, perSecond, retryAfterSeconds });
    },
  };
}
