import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { durationText } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { endChild, isAlive, removePidFile, startChild } from './child.ts';
import type { Environment } from './configuration.ts';
import type { Layout } from './layout.ts';
import { until } from './until.ts';

export interface Service {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  alive(): boolean;
  /** Such as SIGKILL; the sandbox forgets nothing by it. */
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, then waits until it is gone. */
  stop(): Promise<void>;
}

export interface ServiceStart {
  readonly layout: Layout;
  /** `api` and `worker` are what the commands are called; further workers have names of their own. */
  readonly command: 'api' | 'worker';
  readonly name: string;
  /** Further arguments of the command. */
  readonly args?: readonly string[];
  readonly environment: Environment;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const startWithinMs = 60_000;
const projectRoot = fileURLToPath(new URL('..', import.meta.url));
const commandLine = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

/** Starts `steadyhand api` or `steadyhand worker` and waits until it is ready. Throws `tool-failed` with its log's last lines. */
export async function startService(start: ServiceStart): Promise<Service> {
  const began = performance.now();
  const logFile = start.layout.logFile(start.name);
  const pidFile = start.layout.pidFile(start.name);
  const alreadyLogged = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  const { record } = await startChild({
    name: start.name,
    command: process.execPath,
    args: [commandLine, start.command, ...(start.args ?? [])],
    cwd: projectRoot,
    environment: start.environment,
    logFile,
    pidFile,
  });
  const stop = async (): Promise<void> => {
    await endChild(record);
    removePidFile(pidFile);
  };
  try {
    await until(
      `${start.name} is ready`,
      async () => {
        if (!isAlive(record)) throw new Failure('tool-failed', `${start.name} ended at its start`);
        return (await isReady(start, logFile, alreadyLogged)) || undefined;
      },
      { withinMs: startWithinMs, everyMs: 50, ...(start.signal ? { signal: start.signal } : {}) },
    );
  } catch (error) {
    await stop();
    throw await withLog(error, logFile);
  }
  start.log(`${start.name} is ready (${durationText(performance.now() - began)})`);
  return {
    ...{ name: start.name, pid: record.pid, logFile, stop },
    alive: () => isAlive(record),
    kill: (signal) => {
      if (isAlive(record)) process.kill(record.pid, signal);
    },
  };
}

async function isReady({ command, environment }: ServiceStart, logFile: string, alreadyLogged: number): Promise<boolean> {
  if (command === 'worker') return (await readFile(logFile)).subarray(alreadyLogged).includes('worker ready');
  const answer = await fetch(new URL('/healthz', environment['STEADYHAND_API_URL']), { signal: AbortSignal.timeout(1_000) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  return answer?.ok ?? false;
}

async function withLog(error: unknown, logFile: string): Promise<unknown> {
  if (!(error instanceof Failure)) return error;
  const last = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-8).join('\n');
  return new Failure(error.code, `${error.message}; the end of ${logFile}:\n${last}`, { log: logFile }, error);
}
