import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formsOf } from './traces.ts';

/** Every process's arguments, looked at over and over; and what the programs that we start were given, written by themselves. */
export interface Watch {
  /** All arguments that were seen since the start. */
  stop(): string;
}

/** Looks at the arguments of all processes of this machine, ten times a second. Where there is no /proc it sees nothing. */
export function watchArguments(): Watch {
  const seen = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {
        // It has ended.
      }
    }
  };
  const timer = existsSync('/proc') ? setInterval(look, 100) : undefined;
  return {
    stop: () => {
      clearInterval(timer);
      return [...seen].join('\n');
    },
  };
}

/** A program in front of another one that writes down what it was given, arguments and environment, and becomes the other one. */
export async function noting(program: string, folder: string): Promise<string> {
  const name = program.split('/').at(-1) ?? '';
  const file = join(folder, name);
  const notes = join(folder, `${name}.given`);
  await writeFile(file, `#!/bin/sh\n{ printf '%s\\n' "$@"; /usr/bin/env; } >>'${notes}'\nexec '${program}' "$@"\n`);
  await chmod(file, 0o755);
  return file;
}

/**
 * Which of the secrets stand in the files below the folders, in any form: `<secret>: <file>`, sorted. By grep, which walks a
 * server's data in a second; the patterns go in by a file.
 */
export async function grep(secrets: Readonly<Record<string, string>>, folders: readonly string[], patterns: string): Promise<string[]> {
  const forms = Object.entries(secrets).flatMap(([name, secret]) => formsOf(secret).map((form) => [form, name] as const));
  await writeFile(patterns, forms.map(([form]) => `${form}\n`).join(''), { mode: 0o600 });
  const names = new Map(forms);
  const lines = await output('grep', ['-raoHF', '-f', patterns, ...folders]);
  const hits = lines
    .filter((line) => line !== '')
    .map((line) => {
      const at = line.lastIndexOf(':');
      return `${names.get(line.slice(at + 1)) ?? 'unknown'}: ${line.slice(0, at)}`;
    });
  return [...new Set(hits)].toSorted();
}

async function output(program: string, args: readonly string[]): Promise<string[]> {
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'inherit'], env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' } });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // 1: nothing was found; 2: a server removed a file meanwhile.
  if (code === null) throw new Error(`${program} was ended`);
  return Buffer.concat(chunks).toString('latin1').split('\n');
}
