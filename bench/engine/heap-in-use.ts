// Loaded into every thread of the measured worker (`--import`): tells the heap that is in use there, after a garbage collection.
// The SDK runs workflows in a thread of its own that nobody else can reach.
import { getHeapStatistics } from 'node:v8';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

/** Asked with `ask`; each thread but the main one answers with its bytes. */
export const heapChannel = 'heap in use';

/** Bytes of this thread's heap, and what its objects hold outside of it. */
export function heapInUse(): number {
  // Twice: what the first one's finalisers let go is garbage only then.
  for (let pass = 0; pass < 2; pass += 1) globalThis.gc?.();
  const { used_heap_size: used, external_memory: external } = getHeapStatistics();
  return used + external;
}

if (!isMainThread) {
  const channel = new BroadcastChannel(heapChannel);
  channel.onmessage = ({ data }: { data?: unknown }) => {
    if (data === 'ask') channel.postMessage(heapInUse());
  };
  channel.unref();
}
