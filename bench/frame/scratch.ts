import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Scratch {
  readonly directory: string;
  /** What is to be ended, in the order in which it was begun. */
  readonly endings: (() => Promise<unknown>)[];
  /** Ends all of it, the last one first, and removes the directory. Harmless to repeat. */
  stop(): Promise<void>;
}

/** A directory for one bench, and what ends with it, also when the bench is aborted. */
export async function openScratch(signal: AbortSignal | undefined): Promise<Scratch> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-bench-'));
  // The postgres user must pass through.
  await chmod(directory, 0o755);
  const endings: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  signal?.addEventListener('abort', () => void stop());
  return { directory, endings, stop };
}
