import { createHash } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import { createBuckets } from './buckets.ts';

/** Holds up whoever tries tokens. Of this process alone. */
export interface RefusalLimit {
  /**
   * Called before a token is looked at. Throws `rate-limited` when too many from this address were refused, unless the token is one
   * that was good when it was last looked at: people behind one address are not locked out by their neighbour.
   */
  admit(address: string, token: string): void;
  accepted(token: string): void;
  refused(address: string, token: string): void;
  /** Requests with a token that was refused, or not looked at, since the process began. */
  count(): number;
}

/** Good tokens that are remembered, the last ones; as hashes. */
const remembered = 10_000;

/** So many refusals an address may have at once and in each minute. What is under way at the same time is looked at. `now` is in milliseconds. */
export function createRefusalLimit(perMinute: number, now: () => number = Date.now): RefusalLimit {
  const buckets = createBuckets({ full: perMinute, perSecond: perMinute / 60, now });
  const good = new Set<string>();
  let count = 0;
  return {
    admit: (address, token) => {
      const retryAfterSeconds = buckets.wait(address);
      if (retryAfterSeconds === 0 || good.has(hashOf(token))) return;
      count += 1;
      const what = `more than ${perMinute} unknown tokens a minute came from ${address}; it may try one again in ${retryAfterSeconds} s`;
      throw new Failure('rate-limited', what, { address, perMinute, retryAfterSeconds });
    },
    accepted: (token) => {
      const hash = hashOf(token);
      good.delete(hash);
      good.add(hash);
      const [first] = good;
      if (good.size > remembered && first !== undefined) good.delete(first);
    },
    refused: (address, token) => {
      count += 1;
      good.delete(hashOf(token));
      buckets.take(address);
    },
    count: () => count,
  };
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
