import { spawn } from 'node:child_process';

/** In a folder of its own: what is run may leave files where it stands. */
export function run(command: string, args: readonly string[], options: { cwd: string; signal?: AbortSignal }): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
