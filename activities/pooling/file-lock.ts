import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';

const lookAgainMs = 5;
/** An edit takes milliseconds. The same lock for so long is that of a process that died. */
const abandonedAfterMs = 2_000;
const giveUpAfterMs = 15_000;

/**
 * Does `work` while no other process that changes `file` does, on this machine or another one that sees the same folder: by a lock
 * file beside it. A lock that stays the same for 2 s is taken over: its holder died. Each waits by its own clock. Whoever stood still
 * with the lock, and woke up when it was another's, learns it from `stillMine`, which throws `pooler-failed`: call it right before
 * the change. Throws the same when it is not its turn within 15 s. In the file system, not in the control database: a switch past
 * its point of no return must be able to repoint without that.
 */
export async function inTurn<Result>(file: string, work: (stillMine: () => Promise<void>) => Promise<Result>): Promise<Result> {
  const lock = `${file}.steadyhand-lock`;
  const mine = await take(lock, file);
  const held = async (): Promise<boolean> => (await identityOf(lock)) === mine;
  try {
    return await work(async () => {
      if (!(await held()))
        throw new Failure('pooler-failed', `another worker took over the lock of ${file} meanwhile; try again`, { file });
    });
  } finally {
    if (await held()) await rm(lock, { force: true });
  }
}

/** Makes the lock file; returns its identity. */
async function take(lock: string, file: string): Promise<string> {
  const begun = performance.now();
  let seen: { identity: string; since: number } | undefined;
  for (;;) {
    const mine = await make(lock, file);
    if (mine !== undefined) return mine;
    const identity = await identityOf(lock);
    const now = performance.now();
    if (identity !== seen?.identity) seen = identity === undefined ? undefined : { identity, since: now };
    if (seen && now - seen.since > abandonedAfterMs) await takeAway(lock, seen.identity);
    if (now - begun > giveUpAfterMs) {
      throw new Failure(
        'pooler-failed',
        `other workers are at ${file} all the time, or ${lock} can not be removed; look who writes there`,
        {
          file,
        },
      );
    }
    await wait(lookAgainMs);
  }
}

/** Undefined when somebody else has it. */
async function make(lock: string, file: string): Promise<string | undefined> {
  try {
    const handle = await open(lock, 'wx', 0o600);
    try {
      return identityIn(await handle.stat({ bigint: true }));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return undefined;
    throw new Failure('pooler-failed', `the pooler’s file ${file} cannot be written by this worker`, { file }, error);
  }
}

/** By moving it to a name that nobody else has: of two who try, one finds it. What was moved and is another one goes back. */
async function takeAway(lock: string, identity: string): Promise<void> {
  if ((await identityOf(lock)) !== identity) return;
  const aside = `${lock}-${randomUUID()}`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((await identityOf(aside)) === identity) return await rm(aside, { force: true });
  await rename(aside, lock);
}

/** Of this very lock file: a later one has another one, also with the inode used again. */
async function identityOf(lock: string): Promise<string | undefined> {
  try {
    return identityIn(await stat(lock, { bigint: true }));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function identityIn({ ino, birthtimeNs, mtimeNs }: BigIntStats): string {
  return `${ino} ${birthtimeNs} ${mtimeNs}`;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
