import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { durationText } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { searchAttributeNames } from '../temporal/search-attributes.ts';
import { endChild, removePidFile, startChild, type Child } from './child.ts';
import type { SandboxConfiguration } from './configuration.ts';
import { freePorts } from './free-ports.ts';
import { temporalProgram } from './temporal-program.ts';
import { until } from './until.ts';

export interface TemporalOptions {
  readonly configuration: SandboxConfiguration;
  readonly directory: string;
  readonly logFile: string;
  readonly pidFile: string;
  /** Of the server and of its web page. */
  readonly ports?: readonly [number, number];
  /** How the server looks for work: `fast` (default) without the waits of up to 50 ms that a dev server has as it comes. */
  readonly polling?: 'fast' | 'default';
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface TemporalServer {
  /** host:port, for TEMPORAL_ADDRESS. */
  readonly address: string;
  readonly namespace: string;
  /** The web page. */
  readonly ui: string;
  readonly program: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const startWithinMs = 60_000;

/**
 * Starts a Temporal dev server that keeps its state in `directory`, and waits until it knows our search attributes. Throws
 * `tool-missing` (no program), `tool-failed` (it ended at its start) or `deadline-passed`.
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const program = await temporalProgram(options);
  const [port = 0, uiPort = 0] = options.ports ?? (await freePorts(2));
  await mkdir(options.directory, { recursive: true });
  const child = await startChild({
    name: 'temporal',
    command: program,
    args: serverArguments(options, port, uiPort),
    environment: options.configuration.environment,
    logFile: options.logFile,
    pidFile: options.pidFile,
  });
  const stop = async (): Promise<void> => {
    await endChild(child.record);
    removePidFile(options.pidFile);
  };
  const address = `127.0.0.1:${port}`;
  try {
    await answers(child, address, options);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, namespace: 'default', ui: `http://127.0.0.1:${uiPort}`, program, pid: child.record.pid, stop };
}

/** The pragmas triple the file-backed server's throughput; the poll rates take a wait of up to 50 ms off every hop. */
function serverArguments({ directory, polling }: TemporalOptions, port: number, uiPort: number): string[] {
  const fast = ['history.transferProcessorMaxPollRPS=2000', 'history.timerProcessorMaxPollRPS=2000'];
  return [
    ...['server', 'start-dev', '--headless=false', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
    ...['--db-filename', join(directory, 'temporal.db'), '--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ...(polling === 'default' ? [] : fast).flatMap((value) => ['--dynamic-config-value', value]),
    ...['--log-level', 'warn'],
    ...searchAttributeNames.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
  ];
}

async function answers(child: Child, address: string, options: TemporalOptions): Promise<void> {
  const began = performance.now();
  await until(
    `the Temporal server at ${address} answers`,
    async () => {
      if (!child.alive()) throw await ended(options.logFile);
      return (await isReady(address)) || undefined;
    },
    { withinMs: startWithinMs, everyMs: 50, ...(options.signal ? { signal: options.signal } : {}) },
  );
  options.log(`Temporal answers at ${address} (${durationText(performance.now() - began)})`);
}

async function ended(logFile: string): Promise<Failure> {
  const last = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');
  return new Failure('tool-failed', `the Temporal server ended at its start: ${last}`);
}

async function isReady(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 }).catch(() => undefined);
  if (!connection) return false;
  try {
    const known = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
    return searchAttributeNames.every((name) => Object.hasOwn(known.customAttributes ?? {}, name));
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}
