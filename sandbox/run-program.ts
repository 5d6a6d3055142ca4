import { spawn } from 'node:child_process';
import { Failure } from '../domain/failure.ts';
import { redact } from '../domain/redaction.ts';

export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
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
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', (error) => {
      const code = error.name === 'AbortError' ? 'cancelled' : 'tool-missing';
      reject(new Failure(code, `${run.command} cannot be run: ${error.message}`, { program: run.command }, error));
    });
    child.once('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  const output = Buffer.concat(chunks).toString('utf8');
  if (code === 0) return output;
  const last = redact(output.trim().split('\n').slice(-8).join('\n'));
  throw new Failure('tool-failed', `${run.command} ended with ${code}: ${last}`, { program: run.command, code });
}
