import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { down } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';
import { ownFolder, processesIn } from './support.ts';

/** On a machine that is busy with other tests. */
const startsWithinMs = 90_000;

describe('a demo that is stopped', { timeout: 2 * startsWithinMs }, () => {
  let folder: Awaited<ReturnType<typeof ownFolder>>;
  let directory: string;
  beforeEach(async () => {
    folder = await ownFolder();
    directory = join(folder.path, 'sandbox');
  });
  afterEach(async () => {
    await down(directory);
    await folder.remove();
  });

  function demo(): { process: ChildProcess; said: () => string; says: (words: string) => Promise<boolean> } {
    const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
    const child = spawn(process.execPath, [main, 'demo', '--pooler', 'none', '--size', '100'], {
      env: { ...process.env, STEADYHAND_SANDBOX: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const says = (words: string): Promise<boolean> => eventually(() => Promise.resolve(text.includes(words) || undefined), startsWithinMs);
    return { process: child, said: () => text, says };
  }

  it('leaves nothing, also when Ctrl-C is pressed again and again', async () => {
    const { process: child, said, says } = demo();
    await says('asked for the run');
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await says('Stopping');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(await ended).toEqual([1, null]);
    expect(said()).toContain('the demo was stopped');
    expect(said()).not.toContain('code: internal');
    expect(processesIn(directory)).toEqual([]);
    expect(readdirSync(directory)).toEqual(['logs']);
  });

  it('leaves nothing when nobody reads what it says any more', async () => {
    const { process: child, says } = demo();
    await says('Temporal answers');
    const ended = once(child, 'exit');
    child.stdout?.destroy();
    expect(await ended).toEqual([1, null]);
    expect(processesIn(directory)).toEqual([]);
    expect(readdirSync(directory)).toEqual(['logs']);
  });
});
