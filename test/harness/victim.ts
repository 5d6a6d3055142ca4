import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Fault } from './faults.ts';
import type { ProcessOf } from './stage.ts';

/** What a victim is told at its start: where it works, and where in the run it tells of itself and stands still. */
export interface VictimOrder extends ProcessOf, Pick<Fault, 'step' | 'point'> {
  readonly run: string;
  readonly taskQueue: string;
}

/** A worker process that comes to a place of a run and waits there for what is done to it. */
export interface Victim {
  /** It is there. */
  readonly struck: Promise<void>;
  /** Its attempt has ended: `ok`, or the code of its failure. */
  readonly ended: Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** The attempt goes on from where it stood, once the process runs. */
  goOn(): void;
  end(): Promise<void>;
}

/** Resolves when it polls. */
export async function startVictim(order: VictimOrder): Promise<Victim> {
  const program = fileURLToPath(new URL('./victim-main.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  // `close`, not `exit`: what it had said is heard before.
  const gone = once(child, 'close');
  const heard = new Map<string, (rest: string) => void>();
  const word = async (name: string): Promise<string> =>
    await Promise.race([
      new Promise<string>((resolve) => heard.set(name, resolve)),
      gone.then(([code, signal]) => {
        throw new Error(`the worker process ended (${code ?? signal}) before it said "${name}"`);
      }),
    ]);
  const [ready, struck, ended] = [word('ready'), word('struck').then(() => undefined), word('ended')];
  // A test that kills the process need not wait for them.
  for (const one of [struck, ended]) one.catch(() => undefined);
  createInterface(child.stdout).on('line', (line) => {
    const [name = '', rest = ''] = line.split(' ');
    heard.get(name)?.(rest);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(order)}\n`);
  await ready;
  return {
    struck,
    ended,
    signal: (signal) => void child.kill(signal),
    goOn: () => void child.stdin.write('go\n'),
    end: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
