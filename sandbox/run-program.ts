import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { redactLastLines } from '../domain/redaction.ts';
import { recordProcess } from './child.ts';

export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Written while it runs, so that it can be ended after this process was killed. */
  readonly pidFile?: string;
}

/** Runs a program to its end and returns what it wrote. Throws `tool-failed` with its last lines, `tool-missing` without it. */
export async function runProgram(run: ProgramRun): Promise<string> {
  const child = spawn(run.command, [...run.args], {
    cwd: '/',
    env: run.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: run.timeoutMs,
    signal: run.signal,
    ...run.user,
  });
  if (run.pidFile !== undefined && child.pid !== undefined) {
    const [name, command] = [basename(run.command), [run.command, ...run.args].join(' ')];
    recordProcess(run.pidFile, { name, pid: child.pid, command, endWith: ['SIGTERM'] });
  }
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', (error) => {
      const stopped = error.name === 'AbortError';
      const failure = new Failure(
        stopped ? 'cancelled' : 'tool-missing',
        `${run.command} ${stopped ? 'was stopped' : 'cannot be run'}: ${error.message}`,
        { program: run.command },
        error,
      );
      // What it was writing is removed next, so it must have ended.
      if (stopped) child.once('exit', () => reject(failure));
      else reject(failure);
    });
    child.once('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  const output = Buffer.concat(chunks).toString('utf8');
  if (code === 0) return output;
  const last = redactLastLines(output, 8);
  throw new Failure('tool-failed', `${run.command} ended with ${code}: ${last}`, { program: run.command, code });
}
