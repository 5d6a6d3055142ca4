import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCluster } from '../../sandbox/postgres.ts';
import { ownFolder } from './support.ts';

const brings = fileURLToPath(new URL('brings-programs.ts', import.meta.url));

let folder: Awaited<ReturnType<typeof ownFolder>>;
let cache: string;
beforeEach(async () => {
  folder = await ownFolder();
  cache = join(folder.path, 'cache');
});
afterEach(() => folder.remove());

/** Programs that are there and run; and nothing else than the locks, which are empty files that stay. */
function expectWhole(): void {
  const names = readdirSync(cache).filter((name) => !name.endsWith('.lock'));
  expect(names.toSorted()).toEqual([
    expect.stringMatching(/^postgres-16[.\w-]+\d$/),
    expect.stringMatching(/^postgres-16[.\w-]+-aws-[0-9a-f]{8}$/),
    expect.stringMatching(/^postgres-18[.\w-]+\d$/),
    expect.stringMatching(/^postgres-18[.\w-]+-aws-[0-9a-f]{8}$/),
  ]);
  for (const name of names) {
    const version = execFileSync(join(cache, name, 'bin/postgres'), ['--version'], { encoding: 'utf8' });
    expect(version).toContain(`(PostgreSQL) ${name.slice('postgres-'.length, 'postgres-18'.length)}`);
    expect(existsSync(join(cache, name, 'share/postgresql/extension/plpgsql.control'))).toBe(true);
  }
}

/** Another process that brings all programs of the cache. */
function bringing(): { ended: Promise<{ code: number | null; said: string }>; kill: () => void } {
  const child = spawn(process.execPath, [brings, cache], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { ended: once(child, 'close').then(([code]) => ({ code: code as number | null, said })), kill: () => child.kill('SIGKILL') };
}

describe('an empty cache', { timeout: 120_000 }, () => {
  it('serves two clusters of one version that start at once in one process', async () => {
    const starts = ['one', 'two'].map((name) => startCluster({ name, major: 18, cache, directory: join(folder.path, name) }));
    const ends = await Promise.allSettled(starts);
    await Promise.all(ends.map(async (end) => end.status === 'fulfilled' && (await end.value.stop())));
    expect(ends.map((end) => (end.status === 'rejected' ? String(end.reason) : end.status))).toEqual(['fulfilled', 'fulfilled']);
  });

  it('is filled by several processes at once', async () => {
    const ends = await Promise.all([bringing(), bringing(), bringing()].map(({ ended }) => ended));
    expect(ends.map(({ code, said }) => (code === 0 ? code : said))).toEqual([0, 0, 0]);
    expectWhole();
  });

  it('is filled after builders that were killed at any moment, and keeps nothing of theirs', async () => {
    for (const lives of [150, 300, 500, 800, 1_200]) {
      const killed = bringing();
      await Promise.race([wait(lives + Math.random() * 200), killed.ended]);
      killed.kill();
      await killed.ended;
    }
    expect(await bringing().ended).toMatchObject({ code: 0 });
    expectWhole();
  });
});
