import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { until } from './until.ts';

/** What a pid file holds: enough to tell, after anything, whether the process is still the one that was started. */
export interface ChildRecord {
  readonly name: string;
  readonly pid: number;
  /** When the kernel started it: a pid that was given to another process has another time. */
  readonly started: string;
  readonly command: string;
  /** Signals to end it, in order; the last resort is always SIGKILL. */
  readonly endWith: readonly NodeJS.Signals[];
}

export interface ChildStart {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly pidFile: string;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly cwd?: string;
  /** Default SIGTERM. */
  readonly endWith?: readonly NodeJS.Signals[];
}

export interface Child {
  readonly record: ChildRecord;
  readonly alive: () => boolean;
}

/**
 * Starts a process in a session of its own, output to the log file (an inherited pipe would keep our readers waiting), and writes
 * its pid file before anything else happens. Throws `tool-missing` when it cannot be executed.
 */
export async function startChild(start: ChildStart): Promise<Child> {
  mkdirSync(dirname(start.pidFile), { recursive: true });
  const log = openSync(start.logFile, 'a', 0o640);
  try {
    const child = spawn(start.command, [...start.args], {
      cwd: start.cwd ?? '/',
      env: start.environment,
      stdio: ['ignore', log, log],
      detached: true,
      ...start.user,
    });
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    if (child.pid === undefined) return await failed;
    failed.catch(() => undefined);
    child.unref();
    return written(start, child.pid);
  } catch (error) {
    throw new Failure('tool-missing', `${start.command} cannot be started`, { program: start.command }, error);
  } finally {
    closeSync(log);
  }
}

function written({ name, command, args, endWith = ['SIGTERM'], pidFile }: ChildStart, pid: number): Child {
  const record = recordProcess(pidFile, { name, pid, command: [command, ...args].join(' '), endWith });
  return { record, alive: () => isAlive(record) };
}

/** Writes the pid file of a process that runs now, with the time at which the kernel started it. */
export function recordProcess(file: string, process: Omit<ChildRecord, 'started'>): ChildRecord {
  const record: ChildRecord = { ...process, started: startMark(process.pid) ?? 'gone at once' };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(record, null, 2));
  renameSync(`${file}.new`, file);
  return record;
}

/** The record of a pid file, or undefined when it is not there or was not written to its end. */
export function readPidFile(file: string): ChildRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The records of all pid files in a folder. */
export function readPidFiles(folder: string): ChildRecord[] {
  try {
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
    return files.map((file) => readPidFile(join(folder, file))).filter((record) => record !== undefined);
  } catch {
    return [];
  }
}

function isRecord(value: unknown): value is ChildRecord {
  return typeof value === 'object' && value !== null && 'pid' in value && 'started' in value && 'endWith' in value && 'name' in value;
}

export function isAlive(record: Pick<ChildRecord, 'pid' | 'started'>): boolean {
  return startMark(record.pid) === record.started;
}

/**
 * Ends the process if it is still the one of the record: its signals in order, each with `graceMs`, then SIGKILL for its whole
 * process group. Returns when it is gone; calling it for one that is gone is harmless.
 */
export async function endChild(record: ChildRecord, graceMs = 10_000): Promise<void> {
  for (const signal of record.endWith) {
    if (!isAlive(record)) return;
    if (await ended(record, () => process.kill(record.pid, signal), graceMs)) return;
  }
  if (!isAlive(record)) return;
  if (await ended(record, () => kill(record.pid), graceMs)) return;
  throw new Failure('internal', `${record.name} (pid ${record.pid}) does not end, not even by SIGKILL`);
}

/** The whole process group when the process leads one, as everything does that `startChild` has started. */
function kill(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    process.kill(pid, 'SIGKILL');
  }
}

async function ended(record: ChildRecord, send: () => void, graceMs: number): Promise<boolean> {
  try {
    send();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
  try {
    await until(`${record.name} ends`, () => (isAlive(record) ? undefined : true), { withinMs: graceMs, everyMs: 10 });
    return true;
  } catch {
    return false;
  }
}

/** Removes the pid file of a process that has been ended. */
export function removePidFile(file: string): void {
  rmSync(file, { force: true });
}

/** When a process was started, as text to compare; undefined when there is none, or only a zombie that nobody has reaped. */
export function startMark(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${bootId()}/${fields[19]}`;
    }
    const [state, ...time] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith('Z') ? undefined : time.join(' ');
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
