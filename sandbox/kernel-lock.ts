import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** A lock of one file, held by this handle alone. */
export interface KernelLock {
  release(): void;
}

/** SQLITE_BUSY: another connection has it. */
const busy = 5;

/**
 * Takes the lock of that file without waiting; undefined when another handle has it, in this process or another one. The kernel
 * releases it when its process ends, however that happens, so a lock is never stale. Node.js has no call for such a lock; SQLite takes
 * one (fcntl) for a transaction, and keeps connections of one process apart as well. Nothing is written: the file stays empty, and it
 * must stay, because removing it would let two processes lock two files of one name.
 */
export async function tryLock(file: string): Promise<KernelLock | undefined> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  // Only when something is built: some versions of Node.js warn on this import.
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // Else a journal would lie beside the lock, also after a kill.
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === busy) return undefined;
    throw error;
  }
}
