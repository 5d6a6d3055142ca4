import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { down } from '../../../sandbox/sandbox.ts';
import { ownFolder, processesIn } from '../../sandbox/support.ts';
import { eventually } from '../../support/eventually.ts';

/** On a machine that is busy with other tests. */
const withinMs = 120_000;
const main = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));

interface Said {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  text(): string;
}

let folder: Awaited<ReturnType<typeof ownFolder>>;
let directory: string;
/** The commands that the demo printed for people, in their order. */
let commands: string[];

function started(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Said {
  const child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { process: child, ended: once(child, 'close').then(([code]) => code as number | null), text: () => text };
}

/** A new shell in which a person has typed the lines that set it up, and then this one. */
function typed(command: string): Said {
  const setUp = commands.filter((line) => line.startsWith('. ') || line.startsWith('export '));
  return started('/bin/bash', ['-c', [...setUp, command].join('\n')]);
}

async function succeeds(command: string): Promise<string> {
  const said = typed(command);
  expect([command, await said.ended, said.text()]).toEqual([command, 0, expect.anything()]);
  return said.text();
}

const printed = (beginning: string): string[] => commands.filter((line) => line.startsWith(beginning));

/** Starts the run that was printed, and answers as it was printed, both times. */
async function moves(): Promise<string> {
  const [start = ''] = printed('steadyhand start');
  const watching = typed(start);
  const run = await eventually(async () => /\/orders\/([0-9A-Z]{26})/.exec(watching.text())?.[1], withinMs);
  for (const question of ['Agree to prepare the move', 'Agree to switch']) {
    await eventually(async () => new RegExp(`\\? step \\d+ \\(${question}\\)`).test(watching.text()) || undefined, withinMs);
    // Nobody sits at this shell.
    for (const approve of printed('steadyhand approve')) await succeeds(approve.replace('<run>', `${run} --yes`));
  }
  expect(await watching.ended).toBe(0);
  return watching.text();
}

describe('a demo that keeps its sandbox', { timeout: 3 * withinMs }, () => {
  beforeAll(async () => {
    folder = await ownFolder();
    directory = join(folder.path, 'sandbox');
    const environment = { ...process.env, STEADYHAND_SANDBOX: directory };
    const demo = started(process.execPath, [main, 'demo', '--keep', '--pooler', 'none', '--size', '1000'], environment);
    expect([await demo.ended, demo.text()]).toEqual([0, expect.stringContaining('The sandbox stays up.')]);
    const kept = demo.text().slice(demo.text().indexOf('The sandbox stays up.'));
    commands = [...kept.matchAll(/^ {4}(\S.*)$/gm)].map(([, command = '']) => command);
  }, 2 * withinMs);
  afterAll(async () => {
    await down(directory);
    await folder.remove();
  });

  it('prints commands that work: the orders move once more, and once more after that', async () => {
    expect(await succeeds(printed('steadyhand runs')[0] ?? '')).toContain('succeeded');
    for (const _ of ['once', 'again']) {
      expect(await succeeds(printed('steadyhand plan')[0] ?? '')).toContain('orders-next');
      expect(await moves()).toContain('succeeded');
      await succeeds(printed('steadyhand sandbox fresh-target')[0] ?? '');
    }
    const refused = typed('steadyhand sandbox fresh-target');
    expect([await refused.ended, refused.text()]).toEqual([1, expect.stringContaining('orders has not moved')]);
  });

  it('is gone after the last of them', async () => {
    await succeeds(printed('steadyhand sandbox down')[0] ?? '');
    expect(processesIn(directory)).toEqual([]);
    expect(readdirSync(directory)).toEqual(['logs']);
  });
});
