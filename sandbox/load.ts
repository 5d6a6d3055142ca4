import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Failure } from '../domain/failure.ts';
import type { Endpoint } from './load-client.ts';
import type { LoadReport, LoadStats } from './load-report.ts';

export interface LoadOptions {
  /** The pooler alone; or without one the source and then the target, in the order in which they are tried. */
  readonly endpoints: readonly Endpoint[];
  readonly user: string;
  /** A file with nothing but the user's password. */
  readonly passwordFile: string;
  /** Default 4. */
  readonly clients?: number;
  /** Writes per second of all clients together at most, default 400. */
  readonly perSecond?: number;
  /** Also written there, as JSON, when the load ends; even when this process is gone by then. */
  readonly reportFile?: string;
  /** How long after `stop` a write that is not acknowledged is retried, default 10 s. */
  readonly giveUpMs?: number;
  /** Called each second. */
  readonly onStats?: (stats: LoadStats) => void;
}

export interface Load {
  readonly pid: number;
  /** The last figures, undefined in the first second. */
  stats(): LoadStats | undefined;
  /** Ends it: writes under way are brought to an end first. A second call gives the same report. */
  stop(): Promise<LoadReport>;
}

/** The one message to the load's process: the password stays in its file. */
export interface LoadInstruction {
  readonly endpoints: readonly Endpoint[];
  readonly user: string;
  readonly passwordFile: string;
  readonly clients: number;
  readonly perSecond: number;
  readonly giveUpMs: number;
  readonly reportFile?: string;
}

export type LoadMessage =
  | { readonly kind: 'stats'; readonly stats: LoadStats }
  | { readonly kind: 'report'; readonly report: LoadReport }
  | { readonly kind: 'failed'; readonly message: string };

/**
 * Starts the application's writers in a process of their own. It ends by itself when this process ends. `stop()` throws
 * `internal` when the load's process died without a report.
 */
export function startLoad(options: LoadOptions): Load {
  const child = fork(fileURLToPath(new URL('load-main.ts', import.meta.url)), [], {
    cwd: '/',
    // A Ctrl-C in the terminal is for this process, which then stops the load.
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let latest: LoadStats | undefined;
  const report = new Promise<LoadReport>((resolve, reject) => {
    child.on('message', (message: LoadMessage) => {
      if (message.kind === 'report') resolve(message.report);
      else if (message.kind === 'failed') reject(new Failure('internal', `the load ended: ${message.message}`));
      else {
        latest = message.stats;
        options.onStats?.(message.stats);
      }
    });
    child.once('error', (error) => reject(new Failure('internal', 'the load cannot be started', {}, error)));
    child.once('exit', (code, signal) => reject(new Failure('internal', `the load ended without a report (${signal ?? code})`)));
  });
  report.catch(() => undefined);
  child.send(instructionOf(options));
  return {
    pid: child.pid ?? 0,
    stats: () => latest,
    stop: async () => {
      if (child.connected) child.send('stop', () => undefined);
      return await report;
    },
  };
}

function instructionOf(options: LoadOptions): LoadInstruction {
  const { endpoints, user, passwordFile, reportFile } = options;
  return {
    ...{ endpoints, user, passwordFile },
    clients: options.clients ?? 4,
    perSecond: options.perSecond ?? 400,
    giveUpMs: options.giveUpMs ?? 10_000,
    ...(reportFile === undefined ? {} : { reportFile }),
  };
}
