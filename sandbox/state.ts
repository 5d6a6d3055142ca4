import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { foldersOf } from './aws/clusters/folders.ts';
import { endChild, isAlive, readPidFile, readPidFiles, startMark, type ChildRecord } from './child.ts';
import { layoutOf, partFolders, type Layout } from './layout.ts';

const stateSchema = z.object({
  phase: z.enum(['starting', 'up']),
  /** Whether it lives on without the process that started it. */
  detached: z.boolean(),
  startedAt: z.string(),
  pooler: z.enum(['pgbouncer', 'none']),
  /** Part → where it is to be reached. */
  addresses: z.record(z.string(), z.string()),
  /** The environment for `steadyhand` commands; secrets stand in files that it names. */
  environment: z.record(z.string(), z.string()),
});

export type SandboxState = z.infer<typeof stateSchema>;

export interface PartStatus {
  readonly name: string;
  readonly pid: number;
  readonly alive: boolean;
  readonly address: string | undefined;
  readonly log: string;
}

/**
 * `running`: somebody answers for it. `starting`: the same, and it is not complete yet. `left-over`: its process was killed, or
 * parts of a detached one are gone. `absent`: nothing.
 */
export interface SandboxStatus {
  readonly kind: 'absent' | 'starting' | 'running' | 'left-over';
  readonly directory: string;
  /** The process that holds it, if it lives. */
  readonly holder: number | null;
  readonly state: SandboxState | null;
  readonly parts: readonly PartStatus[];
}

/** What is there, told from pid files and kernel alone. */
export function inspect(directory: string): SandboxStatus {
  const layout = layoutOf(directory);
  const holder = readPidFile(layout.holder);
  const held = holder !== undefined && isAlive(holder);
  const state = readState(layout);
  const parts = readPidFiles(layout.pids).map((record) => ({
    name: record.name,
    pid: record.pid,
    alive: isAlive(record),
    address: state?.addresses[record.name],
    log: layout.logFile(record.name),
  }));
  const living = parts.filter((part) => part.alive).length;
  return { kind: kindOf(held, state, parts.length, living), directory, holder: held ? holder.pid : null, state, parts };
}

function kindOf(held: boolean, state: SandboxState | null, parts: number, living: number): SandboxStatus['kind'] {
  if (held) return state?.phase === 'up' ? 'running' : 'starting';
  if (state?.phase === 'up' && state.detached && living === parts && parts > 0) return 'running';
  return parts > 0 || state !== null ? 'left-over' : 'absent';
}

function readState(layout: Layout): SandboxState | null {
  if (!existsSync(layout.state)) return null;
  try {
    return stateSchema.parse(JSON.parse(readFileSync(layout.state, 'utf8')));
  } catch {
    return null;
  }
}

export function writeState(layout: Layout, state: SandboxState): void {
  writeFileSync(`${layout.state}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o644 });
  renameSync(`${layout.state}.new`, layout.state);
}

/**
 * Makes this process the holder, and clears what a killed one left. Throws `conflict` when a sandbox runs or is being started:
 * the holder's file is made by a link, which only one process can win.
 */
export async function claim(layout: Layout, log: (line: string) => void): Promise<void> {
  await mkdir(layout.directory, { recursive: true, mode: 0o755 });
  const found = inspect(layout.directory);
  if (found.kind === 'running' || found.kind === 'starting') throw taken(found);
  removeDead(layout.holder);
  const own: ChildRecord = {
    name: 'sandbox',
    pid: process.pid,
    started: startMark(process.pid) ?? '',
    command: process.argv.join(' '),
    endWith: ['SIGTERM'],
  };
  const mine = `${layout.holder}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(own, null, 2));
  try {
    linkSync(mine, layout.holder);
  } catch {
    throw taken(inspect(layout.directory));
  } finally {
    rmSync(mine);
  }
  if (found.kind === 'left-over') log(`Clearing what an earlier sandbox left in ${layout.directory}`);
  await clear(layout, { logs: true });
}

/** Moved away first: of two that start at once, the second would otherwise remove the file that the first has just made. */
function removeDead(holder: string): void {
  const aside = `${holder}.${process.pid}`;
  try {
    renameSync(holder, aside);
  } catch {
    return;
  }
  const moved = readPidFile(aside);
  if (moved && isAlive(moved) && !existsSync(holder)) renameSync(aside, holder);
  else rmSync(aside);
}

function taken(found: SandboxStatus): Failure {
  const what = found.kind === 'starting' ? 'is being started' : 'runs already';
  return new Failure('conflict', `a sandbox ${what} in ${found.directory}`, { directory: found.directory, holder: found.holder });
}

export function release(layout: Layout): void {
  rmSync(layout.holder, { force: true });
}

/** Those that use the others go first; they may want to say goodbye. */
const first = /^(api|worker)/;

/**
 * Ends every process that has a pid file and removes what the sandbox wrote; logs stay unless told otherwise. All are tried; then
 * it throws the first error, with the pid files still there for another try.
 */
export async function clear(layout: Layout, { logs }: { logs: boolean }): Promise<void> {
  const records = readPidFiles(layout.pids);
  await endAll(records.filter((record) => first.test(record.name)));
  await endAll(records.filter((record) => !first.test(record.name)));
  // The clusters of a stand-in for AWS that was killed.
  await endAll(readPidFiles(foldersOf(layout.part('aws')).pids));
  const folders = [...partFolders.map((name) => layout.part(name)), layout.secrets, layout.tokens, layout.pids];
  const files = [layout.state, layout.inventory, layout.environment, layout.passfile];
  for (const path of [...folders, ...files, ...(logs ? [layout.logs] : [])]) await rm(path, { recursive: true, force: true });
}

async function endAll(records: readonly ChildRecord[]): Promise<void> {
  const ends = await Promise.allSettled(records.map((record) => endChild(record)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
