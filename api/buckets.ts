/** Buckets of tries, one for each name, which are refilled as time goes by. */
export interface Buckets {
  /** Seconds until there is one to take; 0 when there is. */
  wait(name: string): number;
  /** Takes one, also where there is none. */
  take(name: string): void;
}

/** Names that are remembered; then those are forgotten whose bucket is full, and where that isn't enough, those that came first. */
const remembered = 10_000;

interface Bucket {
  left: number;
  at: number;
}

/** Each holds `full` tries and is refilled `perSecond`. `now` is in milliseconds. */
export function createBuckets({ full, perSecond, now }: { full: number; perSecond: number; now: () => number }): Buckets {
  const buckets = new Map<string, Bucket>();
  const leftOf = (name: string): number => {
    const bucket = buckets.get(name);
    return bucket ? filled(bucket) : full;
  };
  const filled = ({ left, at }: Bucket): number => Math.min(full, left + ((now() - at) / 1_000) * perSecond);
  const makeRoom = (): void => {
    for (const [name, bucket] of buckets) if (filled(bucket) >= full) buckets.delete(name);
    // Half of them at once: a flood of new names does not walk through all of them each time.
    let left = buckets.size - remembered / 2;
    for (const name of buckets.keys()) if (left-- > 0) buckets.delete(name);
  };
  return {
    wait: (name) => {
      const left = leftOf(name);
      return left >= 1 ? 0 : Math.max(1, Math.ceil((1 - left) / perSecond));
    },
    take: (name) => {
      const left = Math.max(0, leftOf(name) - 1);
      if (!buckets.has(name) && buckets.size >= remembered) makeRoom();
      buckets.set(name, { left, at: now() });
    },
  };
}
