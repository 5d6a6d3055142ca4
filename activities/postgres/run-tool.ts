import { spawn } from 'node:child_process';
import { fill, type Command, type Values } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import { redactLastLines } from '../../domain/redaction.ts';

export interface Tools {
  /** Paths, or names to be found on PATH; undefined when the worker has none. */
  readonly pgDump: string | undefined;
  readonly pgRestore: string | undefined;
  /** All that they are given of an environment: never the worker's own, which may hold secrets. None when absent. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ToolVersion {
  /** "16.14". */
  readonly text: string;
  readonly major: number;
}

/** The version of pg_dump or pg_restore; undefined when it is not there or can't be run. */
async function toolVersion(path: string | undefined, environment: Tools['environment']): Promise<ToolVersion | undefined> {
  if (path === undefined) return undefined;
  const output = await run({ path, args: ['--version'], environment, signal: AbortSignal.timeout(10_000) }).catch(() => '');
  const match = /\(PostgreSQL\) ((\d+)[\w.]*)/.exec(output);
  return match ? { text: match[1] ?? '', major: Number(match[2]) } : undefined;
}

/** The programs of a migration's copy, or what is wrong with them. A dump can't be taken by an older pg_dump than the server. */
export async function missingTool(tools: Tools, sourceVersion: number): Promise<string | undefined> {
  const needed = Math.floor(sourceVersion / 10_000);
  for (const [name, path] of [
    ['pg_dump', tools.pgDump],
    ['pg_restore', tools.pgRestore],
  ] as const) {
    const found = await toolVersion(path, tools.environment);
    if (!found) return `needs ${name} ${needed} or newer; found none${path === undefined ? '' : ` at ${path}`}`;
    if (found.major < needed) return `needs ${name} ${needed} or newer; found ${found.text} at ${path}`;
  }
  return undefined;
}

/**
 * Runs exactly a planned command of kind `shell` with the program at `path`. No shell is involved: a value with blanks stays one
 * argument. Raises `tool-failed` with its last lines, `tool-missing` without it; the signal's reason when aborted.
 */
export async function runTool({ path, environment }: Tool, command: Command, values: Values, signal: AbortSignal): Promise<string> {
  const [, ...words] = command.text.split(' ');
  return await run({ path, environment, args: words.map((text) => fill({ kind: command.kind, text }, values)), signal });
}

/** The tools read the catalogue with queries that the server would compile for seconds. They never go through a pooler. */
const withoutJit = { PGOPTIONS: '-c jit=off' };

/** A program and what it is given of an environment. */
interface Tool {
  readonly path: string;
  readonly environment: Tools['environment'];
}

async function run({ path, environment, args, signal }: Tool & { args: readonly string[]; signal: AbortSignal }): Promise<string> {
  signal.throwIfAborted();
  const child = spawn(path, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...environment, ...withoutJit }, signal });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = await new Promise<number | string>((resolve, reject) => {
    child.once('error', (error) => {
      if (signal.aborted) return;
      reject(new Failure('tool-missing', `${path} cannot be run: ${error.message}`, { program: path }, error));
    });
    child.once('close', (code, by) => resolve(code ?? by ?? 'unknown'));
  });
  signal.throwIfAborted();
  const output = Buffer.concat(chunks).toString('utf8');
  if (ended === 0) return output;
  const last = redactLastLines(output, 8);
  throw new Failure('tool-failed', `${path} ended with ${ended}: ${last}`, { program: path, ended });
}
