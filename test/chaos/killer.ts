import { setTimeout as wait } from 'node:timers/promises';
import type { Parts } from './parts.ts';

export interface Killing {
  readonly forMs: number;
  /** The same seed kills the same parts in the same order. */
  readonly seed: number;
  readonly log: (line: string) => void;
}

/** One part after the other, every 2 to 10 s. Returns how often each was killed; every one of them is back by then. */
export async function killAtRandom({ all }: Parts, { forMs, seed, log }: Killing): Promise<Record<string, number>> {
  const random = randomOf(seed);
  const killed: Record<string, number> = {};
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    await wait(2_000 + 8_000 * random());
    const part = all[Math.floor(random() * all.length)];
    if (!part) continue;
    const began = performance.now();
    await part.killAndStart();
    killed[part.name] = (killed[part.name] ?? 0) + 1;
    log(`killed ${part.name}; it is back after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  }
  return killed;
}

/** mulberry32: small, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
