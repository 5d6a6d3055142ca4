import { Failure } from '../domain/failure.ts';

/** Says how often each token may ask. Of this process alone: with several replicas a token may ask each of them as often. */
export interface RateLimit {
  /** Counts a request. Throws `rate-limited`, with the seconds to wait, when the token has asked too often; that costs it nothing. */
  take(token: string): void;
}

/** So many seconds' worth may come at once, after a quiet time. */
const burstSeconds = 10;
/** Tokens that are remembered before those that have been quiet are forgotten. */
const remembered = 10_000;

interface Bucket {
  left: number;
  at: number;
}

/** A bucket for each token, which holds ten seconds' worth of requests and is refilled `perSecond`. `now` is in milliseconds. */
export function createRateLimit(perSecond: number, now: () => number = Date.now): RateLimit {
  const full = perSecond * burstSeconds;
  const buckets = new Map<string, Bucket>();
  const filled = ({ left, at }: Bucket, time: number): number => Math.min(full, left + ((time - at) / 1_000) * perSecond);
  const forget = (time: number): void => {
    for (const [token, bucket] of buckets) if (filled(bucket, time) >= full) buckets.delete(token);
  };
  return {
    take: (token) => {
      const time = now();
      const left = filled(buckets.get(token) ?? { left: full, at: time }, time);
      if (left < 1) {
        const retryAfterSeconds = Math.max(1, Math.ceil((1 - left) / perSecond));
        const what = `the token ${token} asks more than ${perSecond} times a second; it may ask again in ${retryAfterSeconds} s`;
        throw new Failure('rate-limited', what, { token, perSecond, retryAfterSeconds });
      }
      if (buckets.size >= remembered) forget(time);
      buckets.set(token, { left: left - 1, at: time });
    },
  };
}
