import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endChild, isAlive, readPidFile, readPidFiles, startChild, type Child } from '../../sandbox/child.ts';
import { ownFolder, processesIn } from './support.ts';

let folder: Awaited<ReturnType<typeof ownFolder>>;
beforeAll(async () => {
  folder = await ownFolder();
});
afterAll(() => folder.remove());

async function shell(name: string, script: string): Promise<Child> {
  return await startChild({
    name,
    command: '/bin/sh',
    args: ['-c', script],
    environment: { PATH: '/usr/bin:/bin' },
    logFile: join(folder.path, `${name}.log`),
    pidFile: join(folder.path, 'pids', `${name}.json`),
  });
}

describe('a child process', () => {
  it('has its pid file as soon as it is started, and is found again from it alone', async () => {
    const child = await shell('sleeper', 'sleep 60');
    const found = readPidFile(join(folder.path, 'pids', 'sleeper.json'));
    expect(found).toEqual(child.record);
    expect(readPidFiles(join(folder.path, 'pids')).map((record) => record.name)).toContain('sleeper');
    expect(child.alive()).toBe(true);
    await endChild(child.record);
    expect(child.alive()).toBe(false);
    await endChild(child.record);
  });

  it('that does not listen to SIGTERM is killed with its whole group', async () => {
    const ready = join(folder.path, 'ready');
    const child = await shell('deaf', `trap '' TERM; sleep 61.25 & touch ${ready}; while :; do wait; done`);
    await expect.poll(() => existsSync(ready)).toBe(true);
    await endChild(child.record, 200);
    expect(child.alive()).toBe(false);
    await expect.poll(() => processesIn('sleep 61.25')).toEqual([]);
  });

  it('is left alone when its pid belongs to another process by now', async () => {
    const child = await shell('other', 'sleep 62');
    const old = { ...child.record, started: 'another boot/1' };
    expect(isAlive(old)).toBe(false);
    await endChild(old);
    expect(child.alive()).toBe(true);
    await endChild(child.record);
  });

  it('that cannot be executed is told as a missing tool', async () => {
    const start = {
      name: 'none',
      args: [],
      environment: {},
      logFile: join(folder.path, 'none.log'),
      pidFile: join(folder.path, 'none.json'),
    };
    await expect(startChild({ ...start, command: '/nowhere/program' })).rejects.toMatchObject({ code: 'tool-missing' });
  });
});
