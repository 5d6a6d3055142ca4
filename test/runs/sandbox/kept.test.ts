import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { down } from '../../../sandbox/sandbox.ts';
import { processesIn } from '../../sandbox/support.ts';
import { keptDemo, withinMs, type KeptDemo } from './kept-demo.ts';

let demo: KeptDemo | undefined;
afterEach(async () => {
  if (!demo) return;
  await down(demo.directory);
  await demo.removeFolder();
  demo = undefined;
});

/** By the last of the printed commands. */
async function expectGone({ directory, printed, succeeds }: KeptDemo): Promise<void> {
  await succeeds(printed('steadyhand sandbox down')[0] ?? '');
  expect(processesIn(directory)).toEqual([]);
  expect(readdirSync(directory)).toEqual(['logs']);
}

describe('a demo that keeps its sandbox', { timeout: 4 * withinMs }, () => {
  it('prints commands that work: the orders move once more, and once more after that', async () => {
    demo = await keptDemo('--pooler', 'none', '--size', '1000');
    const { printed, succeeds, typed, goesThrough } = demo;
    expect(await succeeds(printed('steadyhand runs')[0] ?? '')).toContain('succeeded');
    for (const _ of ['once', 'again']) {
      expect(await succeeds(printed('steadyhand plan')[0] ?? '')).toContain('orders-next');
      await goesThrough(printed('steadyhand start')[0] ?? '', ['Agree to prepare the move', 'Agree to switch']);
      await succeeds(printed('steadyhand sandbox fresh-target')[0] ?? '');
    }
    const refused = typed('steadyhand sandbox fresh-target');
    expect([await refused.ended, refused.text()]).toEqual([1, expect.stringContaining('orders has not moved')]);
    await expectGone(demo);
  });

  it('at the stand-in for AWS prints commands that work, too: a backup, and a copy in the other region', async () => {
    demo = await keptDemo('pitr-restore');
    const { printed, succeeds, goesThrough } = demo;
    const [backup = '', copy = ''] = printed('steadyhand start');
    await goesThrough(backup, []);
    await succeeds(printed('steadyhand plan')[0] ?? '');
    await goesThrough(copy, ['Agree to the copy']);
    await expectGone(demo);
  });
});
