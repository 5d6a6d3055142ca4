import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { ownFolder } from '../../sandbox/support.ts';
import { eventually } from '../../support/eventually.ts';

/** How long one part may take on a machine that is busy with other tests. */
export const withinMs = 120_000;
const main = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));

interface Started {
  readonly ended: Promise<number | null>;
  text(): string;
}

export interface KeptDemo {
  readonly directory: string;
  /** Those of the commands that the demo has printed for people that begin so. */
  printed(beginning: string): string[];
  /** Types a command in a new shell, after the printed lines that set it up; returns its output. It must end with 0. */
  succeeds(command: string): Promise<string>;
  typed(command: string): Started;
  /** Types a `start … --watch`, and answers each of its questions as it was printed. The run must succeed. */
  goesThrough(start: string, questions: readonly string[]): Promise<void>;
  removeFolder(): Promise<void>;
}

/** A demo with `--keep`, run to its end in a folder of its own. */
export async function keptDemo(...args: readonly string[]): Promise<KeptDemo> {
  const folder = await ownFolder();
  const directory = join(folder.path, 'sandbox');
  const demo = started(process.execPath, [main, 'demo', ...args, '--keep'], { ...process.env, STEADYHAND_SANDBOX: directory });
  expect([await demo.ended, demo.text()]).toEqual([0, expect.stringContaining('The sandbox stays up.')]);
  const kept = demo.text().slice(demo.text().indexOf('The sandbox stays up.'));
  const commands = [...kept.matchAll(/^ {4}(\S.*)$/gm)].map(([, command = '']) => command);
  const printed = (beginning: string): string[] => commands.filter((line) => line.startsWith(beginning));
  const typed = (command: string): Started => started('/bin/bash', ['-c', [...printed('. '), ...printed('export '), command].join('\n')]);
  const succeeds = async (command: string): Promise<string> => {
    const said = typed(command);
    expect([command, await said.ended, said.text()]).toEqual([command, 0, expect.anything()]);
    return said.text();
  };
  return {
    ...{ directory, printed, typed, succeeds },
    goesThrough: async (start, questions) => {
      const watching = typed(start);
      const run = await eventually(async () => /\/([0-9A-Z]{26})\b/.exec(watching.text())?.[1], withinMs);
      for (const question of questions) {
        await eventually(async () => new RegExp(`\\? step \\d+ \\(${question}\\)`).test(watching.text()) || undefined, withinMs);
        // Nobody sits at this shell, so nobody can be asked back.
        for (const approve of printed('steadyhand approve')) await succeeds(approve.replace('<run>', `${run} --yes`));
      }
      expect([await watching.ended, watching.text()]).toEqual([0, expect.stringContaining('succeeded')]);
    },
    removeFolder: folder.remove,
  };
}

function started(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Started {
  const child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { ended: once(child, 'close').then(([code]) => code as number | null), text: () => text };
}
