import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildOnce, type BuildOnce } from '../../sandbox/build-once.ts';
import { isAlive, readPidFile, type ChildRecord } from '../../sandbox/child.ts';
import { postgresBinaries } from '../../sandbox/postgres-binaries.ts';
import { eventually } from '../support/eventually.ts';
import { ownFolder } from './support.ts';

let folder: Awaited<ReturnType<typeof ownFolder>>;
let finished: string;
let logged: string[];
beforeEach(async () => {
  folder = await ownFolder();
  finished = join(folder.path, 'cache', 'thing-1');
  logged = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await folder.remove();
});

function wanted(own: Partial<BuildOnce> = {}): BuildOnce {
  return {
    what: 'the thing',
    finished,
    isThere: () => existsSync(join(finished, 'whole')),
    build: async (workshop) => await writeFile(join(workshop.folder, 'whole'), 'first'),
    log: (line) => logged.push(line),
    ...own,
  };
}

/** A build that goes on until it is released. */
function held(end: () => Promise<void> = () => Promise.resolve()): { building: Promise<void>; begun: Promise<void>; release: () => void } {
  const [begins, releases] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const building = buildOnce(
    wanted({
      build: async ({ folder: made }) => {
        begins.resolve();
        await releases.promise;
        await end();
        await writeFile(join(made, 'whole'), 'held');
      },
    }),
  );
  building.catch(() => undefined);
  return { building, begun: begins.promise, release: () => releases.resolve() };
}

const says = (words: string): Promise<boolean> => eventually(async () => logged.join('\n').includes(words) || undefined);

/** Lets the waits of a test last long enough to be reported; without it their clock is real. */
function clockOfWaits(): { longer: () => void } {
  vi.useFakeTimers({ toFake: ['performance'] });
  return { longer: () => void vi.advanceTimersByTime(2_001) };
}

/** What the cache holds beside the lock, which stays. */
const cached = (): string[] => readdirSync(join(finished, '..')).filter((name) => name !== 'thing-1.lock');

async function builder(): Promise<{ process: ChildProcess; program: ChildRecord }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('builder.ts', import.meta.url)), finished], { stdio: 'ignore' });
  const program = await eventually(async () => {
    const workshop = existsSync(join(finished, '..')) ? cached().find((name) => name.startsWith('thing-1.building-')) : undefined;
    return workshop === undefined ? undefined : readPidFile(join(finished, '..', workshop, 'pids/sleep.json'));
  });
  return { process: child, program };
}

describe('what is built once', () => {
  it('is built once by all that want it at a time, and those that wait say so', async () => {
    const clock = clockOfWaits();
    const first = held();
    await first.begun;
    const others = [buildOnce(wanted()), buildOnce(wanted())];
    clock.longer();
    await says('Waiting for the thing, which this process (since');
    expect(existsSync(finished)).toBe(false);
    first.release();
    await Promise.all([first.building, ...others]);
    expect(readFileSync(join(finished, 'whole'), 'utf8')).toBe('held');
    expect(logged.filter((line) => line.startsWith('Made the thing in'))).toHaveLength(1);
    expect(logged.filter((line) => line.startsWith('The wait for the thing is over after'))).toHaveLength(2);
    expect(cached()).toEqual(['thing-1']);
  });

  it('is waited for without a word when the wait is short', async () => {
    const first = held();
    await first.begun;
    const { signal } = new AbortController();
    const looks = vi.spyOn(signal, 'throwIfAborted');
    const other = buildOnce(wanted({ signal }));
    // It looks at the signal before each try of the lock, so the first try has failed.
    await eventually(async () => await Promise.resolve(looks.mock.calls.length > 1 || undefined));
    first.release();
    await Promise.all([first.building, other]);
    expect(logged).toEqual([expect.stringMatching(/^Made the thing in /)]);
  });

  it('is built by those that waited when the first one fails, which reports its own error', async () => {
    const clock = clockOfWaits();
    const first = held(() => Promise.reject(new Error('no disk today')));
    await first.begun;
    const other = buildOnce(wanted());
    clock.longer();
    await says('Waiting for the thing');
    first.release();
    await expect(first.building).rejects.toThrow('no disk today');
    await other;
    expect(readFileSync(join(finished, 'whole'), 'utf8')).toBe('first');
    expect(cached()).toEqual(['thing-1']);
  });

  it('is built after a process that was killed: what that one had started is ended, what it had made is gone', async () => {
    const { process: killed, program } = await builder();
    const other = buildOnce(wanted());
    await says(`Waiting for the thing, which process ${killed.pid} (since`);
    killed.kill('SIGKILL');
    await other;
    expect(isAlive(program)).toBe(false);
    expect(cached()).toEqual(['thing-1']);
    expect(readdirSync(finished)).toEqual(['whole']);
  });

  it('is rid of what a builder left that was killed when all was made', async () => {
    await buildOnce(wanted());
    mkdirSync(`${finished}.building-killed/pids`, { recursive: true });
    await buildOnce(wanted());
    expect(cached()).toEqual(['thing-1']);
  });

  it('is waited for no longer than the caller wants, and the builder goes on', async () => {
    const clock = clockOfWaits();
    const first = held();
    await first.begun;
    const stop = new AbortController();
    const other = buildOnce(wanted({ signal: stop.signal }));
    clock.longer();
    await says('Waiting for the thing');
    stop.abort(new Error('enough'));
    await expect(other).rejects.toThrow('enough');
    first.release();
    await first.building;
    expect(cached()).toEqual(['thing-1']);
  });

  it('is reported again and again while it is made', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const first = held();
    await first.begun;
    vi.advanceTimersByTime(31_000);
    expect(logged.filter((line) => line.startsWith('Still making the thing: '))).toHaveLength(2);
    first.release();
    await first.building;
    vi.advanceTimersByTime(31_000);
    expect(logged.at(-1)).toMatch(/^Made the thing in /);
  });

  it('is made new when what is there is not whole', async () => {
    mkdirSync(finished, { recursive: true });
    writeFileSync(join(finished, 'half'), '');
    await buildOnce(wanted());
    expect(readdirSync(finished)).toEqual(['whole']);
  });
});

describe('a cache that cannot be used', () => {
  it('is named, with what to do', async () => {
    writeFileSync(join(folder.path, 'cache'), 'a file, no folder');
    const error = await buildOnce(wanted()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'cache-unusable',
      message: `the thing cannot be kept in the cache ${join(folder.path, 'cache')}: a part of its path is no folder`,
      hint: expect.stringContaining('STEADYHAND_CACHE'),
    });
  });

  it('is named when its lock cannot be taken', async () => {
    mkdirSync(`${finished}.lock`, { recursive: true });
    await expect(buildOnce(wanted())).rejects.toMatchObject({ code: 'cache-unusable' });
  });

  if (process.getuid?.() === 0) {
    it('is named when PostgreSQL’s user may not enter it, before anything is copied', async () => {
      const cache = join(folder.path, 'cache');
      mkdirSync(cache);
      await chmod(folder.path, 0o700);
      const refused = postgresBinaries(18, cache, { log: () => undefined });
      await expect(refused).rejects.toMatchObject({ code: 'cache-unusable', message: expect.stringContaining('may not enter the cache') });
    });
  }
});

it('stops what a build has started before it returns', async () => {
  const stop = new AbortController();
  const { runProgram } = await import('../../sandbox/run-program.ts');
  const pidFile = join(folder.path, 'stubborn.json');
  // It ends a moment after it was asked to.
  const script = 'trap "sleep 0.3; exit 1" TERM; while :; do sleep 0.05; done';
  const running = runProgram({
    command: '/bin/sh',
    args: ['-c', script],
    environment: {},
    timeoutMs: 60_000,
    signal: stop.signal,
    pidFile,
  });
  const ended = running.catch((error: unknown) => error);
  const record = await eventually(async () => readPidFile(pidFile));
  stop.abort();
  expect(await ended).toMatchObject({ code: 'cancelled' });
  expect(isAlive(record)).toBe(false);
});
