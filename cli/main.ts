import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { demoCommand } from './demo.ts';
import { createProgram, runProgram } from './program.ts';
import { sandboxCommand } from './sandbox.ts';
import type { World } from './world.ts';

const world: World = {
  environment: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  tty: process.stdin.isTTY && process.stdout.isTTY,
  size: () => ({ columns: process.stdout.columns, rows: process.stdout.rows }),
  confirm,
  now: Date.now,
  wait: (ms) => wait(ms),
  bad: () => {
    process.exitCode = 1;
  },
};

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } catch (error) {
    // Ctrl-C and Ctrl-D are a no.
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    process.stdout.write('\n');
    return false;
  } finally {
    terminal.close();
  }
}

// Whoever reads us may have had enough (`| head`), or the terminal is gone: that is no error. A command that must clean up when it
// is told to stop is told so; the others just end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (process.listenerCount('SIGTERM') > 0) process.emit('SIGTERM');
  else process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const code = await runProgram(createProgram(world, [sandboxCommand(), demoCommand(world)]), process.argv.slice(2), world);
if (code !== 0) process.exitCode = code;
