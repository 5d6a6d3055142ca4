import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseInventory } from '../../domain/inventory.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { judge } from '../../sandbox/judge.ts';
import { down, status, up, type Sandbox, type UpOptions } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';
import { pooled } from '../support/pooled.ts';
import { ownFolder, processesIn } from './support.ts';

let folder: Awaited<ReturnType<typeof ownFolder>>;
let directory: string;

async function ownDirectory(): Promise<void> {
  folder = await ownFolder();
  directory = join(folder.path, 'sandbox');
}

async function remove(): Promise<void> {
  await down(directory);
  await folder.remove();
}

function start(own: Partial<UpOptions> = {}): Promise<Sandbox> {
  return up({ pooler: 'none', size: 100, services: false, directory, log: () => undefined, ...own });
}

/** What is left once it is down: logs, and nothing else. */
function expectNothingLeft(): void {
  expect(processesIn(directory)).toEqual([]);
  expect(readdirSync(directory)).toEqual(['logs']);
}

function hold(): ChildProcess {
  const script = fileURLToPath(new URL('hold.ts', import.meta.url));
  return spawn(process.execPath, [script, directory], { stdio: 'ignore' });
}

function parts(): string[] {
  return status(directory)
    .parts.filter((part) => part.alive)
    .map((part) => part.name)
    .toSorted();
}

describe('a sandbox that is up and detached', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    await ownDirectory();
    sandbox = await start({ pooler: pooled ? 'pgbouncer' : 'none', services: true, logStatement: 'all', detached: true });
  });
  afterAll(remove);

  it('comes up complete, and tells how to reach everything', async () => {
    expect(parts()).toEqual(['api', 'control', ...(pooled ? ['pgbouncer'] : []), 'source', 'target', 'temporal', 'worker']);
    // Nobody holds it: it lives on without the process that started it.
    expect(status(directory)).toMatchObject({ kind: 'running', holder: null });

    const inventory = parseInventory(readFileSync(sandbox.inventoryFile, 'utf8'), sandbox.inventoryFile);
    expect(Object.keys(inventory.databases)).toEqual(['orders', 'orders-18']);
    for (const person of inventory.people) {
      const token = readFileSync(sandbox.tokens[person.name] ?? '', 'utf8').trim();
      const answer = await fetch(`${sandbox.environment['STEADYHAND_API_URL']}/v1/runs`, { headers: { Authorization: `Bearer ${token}` } });
      expect(answer.status).toBe(200);
    }
    const connection = await Connection.connect({ address: sandbox.environment['TEMPORAL_ADDRESS'] ?? '' });
    await connection.close();

    const load = sandbox.load({ perSecond: 100 });
    await eventually(async () => ((load.stats()?.acknowledged ?? 0) > 10 ? true : undefined));
    const report = await load.stop();
    const source = await sandbox.connect('source');
    expect(await judge(report, source)).toMatchObject({ lost: 0, ghost: 0, duplicated: 0, torn: 0, sequencesBehind: [] });
    await source.end();
  });

  it('refuses a second one beside it, and leaves the first alone', async () => {
    const before = parts();
    await expect(start()).rejects.toMatchObject({ code: 'conflict' });
    expect(parts()).toEqual(before);
    expect(status(directory)).toMatchObject({ kind: 'running', holder: null });
  });

  it('keeps every password in a file that only its owner reads, and out of logs, arguments and state', () => {
    const secrets = readdirSync(join(directory, 'secrets')).map((name) => join(directory, 'secrets', name));
    const tokens = Object.values(sandbox.tokens);
    expect(secrets).toHaveLength(pooled ? 5 : 4);
    const values = [...secrets, ...tokens].map((file) => {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      return readFileSync(file, 'utf8').trim();
    });
    const open = ['state.json', 'environment', 'steadyhand.yaml', 'pids', 'logs'].flatMap((name) => {
      const path = join(directory, name);
      return statSync(path).isDirectory() ? readdirSync(path).map((file) => join(path, file)) : [path];
    });
    const texts = [...open.map((file) => readFileSync(file, 'utf8')), ...processesIn(directory)].join('\n');
    expect(texts).toContain('CREATE TABLE orders');
    expect(values.filter((value) => texts.includes(value))).toEqual([]);
    expect(texts).not.toContain('SCRAM-SHA-256$');
  });

  if (pooled) {
    it('has a pooler’s file that can be replaced as it is by the worker, and read again by PgBouncer', async () => {
      const pooler = sandbox.pgbouncer;
      if (!pooler) throw new Error('there is no pooler');
      expect(existsSync(pooler.configFile)).toBe(true);
      const text = readFileSync(pooler.configFile, 'utf8');
      writeFileSync(pooler.configFile, text.replace(`port=${sandbox.source.port}`, `port=${sandbox.target.port}`));
      const password = readFileSync(pooler.adminPasswordFile, 'utf8').trim();
      const admin = new pg.Client({ host: pooler.host, port: pooler.port, user: pooler.adminUser, password, database: 'pgbouncer' });
      admin.on('error', () => undefined);
      await admin.connect();
      await admin.query('RELOAD');
      const { rows } = await admin.query<{ name: string; port: string }>('SHOW DATABASES');
      await admin.end();
      expect(Number(rows.find((row) => row.name === 'orders')?.port)).toBe(sandbox.target.port);
    });
  }

  it('lets each server log in to the other by the password file of the inventory', async () => {
    const target = await sandbox.connect('target');
    const source = await sandbox.connect('source');
    try {
      await source.query('CREATE PUBLICATION everything FOR ALL TABLES');
      const conninfo = `host=${sandbox.source.host} port=${sandbox.source.port} dbname=orders user=steadyhand passfile=${join(directory, 'replication.pgpass')}`;
      await target.query(`CREATE SUBSCRIPTION everything CONNECTION '${conninfo}' PUBLICATION everything`);
      await eventually(async () => {
        const { rows } = await target.query<{ n: number }>('SELECT count(*)::int AS n FROM customers');
        return rows[0]?.n === 100 ? true : undefined;
      });
    } finally {
      await target.end();
      await source.end();
    }
  });

  it('counts as left over when a part of it has ended', async () => {
    expect(status(directory).kind).toBe('running');
    process.kill(sandbox.target.pid, 'SIGKILL');
    await eventually(async () => (status(directory).kind === 'left-over' ? true : undefined));
  });

  it('is gone after down, which may be called twice', async () => {
    await sandbox.down();
    expectNothingLeft();
    expect(status(directory).kind).toBe('absent');
    await sandbox.down();
  });
});

describe('a sandbox after one whose process was killed', () => {
  beforeAll(ownDirectory);
  afterAll(remove);
  let holder: ChildProcess;

  it('clears what that one left, and then works', async () => {
    const killed = hold();
    await eventually(async () => (parts().includes('source') ? true : undefined), 60_000);
    const before = status(directory).parts.map((part) => part.pid);
    killed.kill('SIGKILL');
    await eventually(async () => (status(directory).kind === 'left-over' ? true : undefined));
    holder = hold();
    await eventually(async () => (status(directory).kind === 'running' ? true : undefined), 60_000);
    expect(status(directory).parts.filter((part) => before.includes(part.pid))).toEqual([]);
    expect(parts()).toEqual(['control', 'source', 'target', 'temporal']);
  });

  it('refuses another one beside it, and tells whose it is', async () => {
    await expect(start()).rejects.toMatchObject({ code: 'conflict', facts: { holder: holder.pid } });
    expect(status(directory)).toMatchObject({ kind: 'running', holder: holder.pid });
    expect(parts()).toEqual(['control', 'source', 'target', 'temporal']);
  });

  it('is taken down by another process, which ends its holder too', async () => {
    const ended = new Promise((resolve) => holder.once('exit', resolve));
    await down(directory);
    await ended;
    expectNothingLeft();
  });
});

describe('a sandbox', () => {
  beforeEach(ownDirectory);
  afterEach(remove);

  it.each([
    ['while it starts', ['temporal']],
    ['when it is up', []],
  ])('whose process was killed %s is cleared by down', async (_when, soonest) => {
    const holder = hold();
    await eventually(
      async () => (soonest.length > 0 ? parts().includes('temporal') : status(directory).kind === 'running') || undefined,
      60_000,
    );
    holder.kill('SIGKILL');
    await eventually(async () => (status(directory).kind === 'left-over' ? true : undefined));
    expect(parts().length).toBeGreaterThan(0);
    await down(directory);
    expectNothingLeft();
  });

  it('takes everything down when one part does not start', async () => {
    const broken = join(folder.path, 'temporal');
    writeFileSync(broken, '#!/bin/sh\nsleep 1\necho no disk today\nexit 1\n');
    chmodSync(broken, 0o755);
    const configuration = { ...sandboxConfiguration(), temporalCli: broken };
    await expect(start({ configuration })).rejects.toMatchObject({
      code: 'tool-failed',
      message: expect.stringContaining('no disk today'),
    });
    expectNothingLeft();
    expect(status(directory).kind).toBe('absent');
  });

  it('stops starting when it is told to, and takes down what was there', async () => {
    const stop = new AbortController();
    const starting = start({ signal: stop.signal });
    starting.catch(() => undefined);
    await eventually(async () => (parts().length > 0 ? true : undefined));
    stop.abort();
    await expect(starting).rejects.toMatchObject({ code: 'cancelled' });
    expectNothingLeft();
  });
});
