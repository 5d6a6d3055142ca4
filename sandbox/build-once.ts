import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { durationText } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { endChild, isAlive, readPidFile, readPidFiles, recordProcess, type ChildRecord } from './child.ts';
import { tryLock, type KernelLock } from './kernel-lock.ts';

export interface Workshop {
  /** An empty folder to fill; it becomes the finished one. */
  readonly folder: string;
  /** For what is needed only while it is built. */
  readonly scratch: string;
  /** Pid files of the programs that the build starts: the next builder ends those that a killed one has left. */
  readonly pids: string;
}

export interface BuildOnce {
  /** For messages, such as `PostgreSQL 18.4`. */
  readonly what: string;
  /** The folder in the cache that it becomes. */
  readonly finished: string;
  /** Whether the finished folder is there and whole. */
  readonly isThere: () => boolean;
  /** Fills the folder of the workshop. */
  readonly build: (workshop: Workshop) => Promise<void>;
  /** Default: standard error, as a build is never silent. */
  readonly log?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const lookAgainMs = 50;
/** A wait that is over sooner is no news to anyone. */
const tellAfterMs = 2_000;
/** A build or a wait that goes on is reported this often. */
const tellAgainMs = 15_000;

/**
 * Builds a folder of the cache unless it is there. One builder is at work at a time, in this process and across processes; the others
 * wait, and say for what and how long once it lasts. The folder is built beside its place and renamed, so anyone who sees it sees all of it.
 * A builder that was killed leaves no lock; the next one ends what it had started and removes what it had made. When a build fails,
 * each of those that waited builds it itself: its own error is true for it (another PATH, another user), and none is kept that might
 * no longer hold. Throws what `build` throws, `cache-unusable`, and the signal's reason when aborted.
 */
export async function buildOnce(wanted: BuildOnce): Promise<void> {
  if (wanted.isThere()) return await clearAfterKill(wanted.finished);
  const lock = await turn(wanted).catch((error: unknown) => {
    throw unusable(wanted, error);
  });
  try {
    if (!wanted.isThere()) await built(wanted);
  } finally {
    lock.release();
  }
}

/** Waits until no other builder is at work. */
async function turn({ what, finished, log = toStandardError, signal }: BuildOnce): Promise<KernelLock> {
  const began = performance.now();
  let toldAt: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const lock = await tryLock(`${finished}.lock`);
    if (lock) {
      if (toldAt !== undefined) log(`The wait for ${what} is over after ${since(began)}`);
      return lock;
    }
    if (performance.now() > (toldAt === undefined ? began + tellAfterMs : toldAt + tellAgainMs)) {
      log(`Waiting for ${what}, which ${builderOf(finished)} makes${toldAt === undefined ? '' : `; ${since(began)} so far`}`);
      toldAt = performance.now();
    }
    await wait(lookAgainMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

async function built(wanted: BuildOnce): Promise<void> {
  const { what, finished, log = toStandardError } = wanted;
  const began = performance.now();
  let made: string | undefined;
  try {
    await removeLeftOvers(finished);
    made = await mkdtemp(workshopsOf(finished));
    const workshop = { folder: join(made, 'folder'), scratch: join(made, 'scratch'), pids: join(made, 'pids') };
    recordProcess(join(made, builderFile), { name: what, pid: process.pid, command: process.argv.join(' '), endWith: ['SIGTERM'] });
    for (const folder of Object.values(workshop)) await mkdir(folder, { mode: 0o755 });
    const telling = setInterval(() => log(`Still making ${what}: ${since(began)} so far`), tellAgainMs);
    await wanted.build(workshop).finally(() => clearInterval(telling));
    await chmod(workshop.folder, 0o755);
    // What is there is not whole, or it would not be built.
    await rm(finished, { recursive: true, force: true });
    await rename(workshop.folder, finished);
    log(`Made ${what} in ${since(began)}; it is kept in ${finished}`);
  } catch (error) {
    wanted.signal?.throwIfAborted();
    throw unusable(wanted, error);
  } finally {
    if (made !== undefined) await removeFolder(made);
  }
}

const builderFile = 'builder.json';

/** The beginning of the names of all folders in which the finished one was ever begun. */
function workshopsOf(finished: string): string {
  return `${finished}.building-`;
}

async function workshopsAt(finished: string): Promise<string[]> {
  const prefix = basename(workshopsOf(finished));
  const names = await readdir(dirname(finished));
  return names.filter((name) => name.startsWith(prefix)).map((name) => join(dirname(finished), name));
}

/** A builder that was killed after its folder had its name left its workshop. What this user may not remove harms nobody. */
async function clearAfterKill(finished: string): Promise<void> {
  if ((await workshopsAt(finished)).length === 0) return;
  const lock = await tryLock(`${finished}.lock`).catch(() => undefined);
  if (!lock) return;
  await removeLeftOvers(finished)
    .catch(() => undefined)
    .finally(() => lock.release());
}

/** Only the holder of the lock may call it: then all of these are of dead builders. */
async function removeLeftOvers(finished: string): Promise<void> {
  for (const left of await workshopsAt(finished)) {
    for (const record of readPidFiles(join(left, 'pids'))) await endChild(record);
    await removeFolder(left);
  }
}

/** A program that is just ending may still write into it. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** For people: which process builds it, and since when. */
function builderOf(finished: string): string {
  const builder = livingBuilder(finished);
  // It has the lock, and writes its name next.
  if (!builder) return 'another builder';
  const who = builder.record.pid === process.pid ? 'this process' : `process ${builder.record.pid}`;
  return `${who} (since ${durationText(Math.max(0, Date.now() - builder.since))})`;
}

function livingBuilder(finished: string): { record: ChildRecord; since: number } | undefined {
  const prefix = basename(workshopsOf(finished));
  for (const name of readdirSync(dirname(finished)).filter((one) => one.startsWith(prefix))) {
    const file = join(dirname(finished), name, builderFile);
    const record = readPidFile(file);
    if (record && isAlive(record)) return { record, since: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now() };
  }
  return undefined;
}

const whyNot: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOTDIR: 'a part of its path is no folder',
  EEXIST: 'a part of its path is no folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'this user’s quota is used up',
};

/** An error of the file system's says nothing of the cache; SQLite's for a lock file that it cannot open says even less. */
function unusable({ what, finished }: BuildOnce, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Failure || !('code' in error)) return error;
  const code = String(error.code);
  const why = code === 'ERR_SQLITE_ERROR' ? `its lock cannot be taken: ${error.message}` : whyNot[code];
  if (why === undefined) return error;
  const cache = dirname(finished);
  return new Failure('cache-unusable', `${what} cannot be kept in the cache ${cache}: ${why}`, { cache, code }, error);
}

function since(began: number): string {
  return durationText(performance.now() - began);
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`);
}
