import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';

/**
 * Asks again until the answer is not undefined. Throws `deadline-passed` (with `what`) after `withinMs`, the signal's reason when
 * aborted, and whatever `look` throws.
 */
export async function until<Answer>(
  what: string,
  look: () => Promise<Answer | undefined> | Answer | undefined,
  { withinMs, everyMs = 20, signal }: { withinMs: number; everyMs?: number; signal?: AbortSignal },
): Promise<Answer> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await look();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Failure('deadline-passed', `${what}: not within ${withinMs / 1_000} s`);
    await wait(everyMs);
  }
}
