import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApplicationDatabase, fillApplication, migrateApplication, withSuperuser } from '../../sandbox/application/application.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { judge, type Verdict } from '../../sandbox/judge.ts';
import { startLoad, type Load, type LoadOptions } from '../../sandbox/load.ts';
import type { LoadReport } from '../../sandbox/load-report.ts';
import { startCluster, type Cluster } from '../../sandbox/postgres.ts';
import { startPgBouncer, type PgBouncer } from '../../sandbox/pgbouncer.ts';
import { scramVerifier } from '../../activities/postgres/scram-verifier.ts';
import { eventually } from '../support/eventually.ts';
import { pooled } from '../support/pooled.ts';
import { answerEater } from './answer-eater.ts';
import { ownFolder } from './support.ts';

let folder: Awaited<ReturnType<typeof ownFolder>>;
let cluster: Cluster;
let pgbouncer: PgBouncer | undefined;
let passwordFile: string;

beforeAll(async () => {
  folder = await ownFolder();
  cluster = await startCluster({ name: 'orders', major: 16, directory: join(folder.path, 'orders'), settings: { fsync: 'off' } });
  await createApplicationDatabase(cluster, { steadyhand: scramVerifier('one'), orders_app: scramVerifier('two') });
  await migrateApplication(cluster);
  await fillApplication(cluster, 2_000);
  passwordFile = join(folder.path, 'password');
  await writeFile(passwordFile, 'two\n', { mode: 0o600 });
  if (pooled) pgbouncer = await startPooler();
});
afterAll(async () => {
  await pgbouncer?.stop();
  await cluster?.stop();
  await folder.remove();
});

async function startPooler(): Promise<PgBouncer> {
  return await startPgBouncer({
    directory: join(folder.path, 'pgbouncer'),
    logFile: join(folder.path, 'pgbouncer.log'),
    pidFile: join(folder.path, 'pgbouncer.json'),
    databases: { orders: { host: cluster.host, port: cluster.port, dbname: 'orders' } },
    users: { orders_app: 'two' },
    path: sandboxConfiguration().path,
  });
}

function load(endpoints: LoadOptions['endpoints'], own: Partial<LoadOptions> = {}): Load {
  return startLoad({ endpoints, user: 'orders_app', passwordFile, ...own });
}

const direct = (): LoadOptions['endpoints'] => [{ host: cluster.host, port: cluster.port, dbname: 'orders' }];

async function acknowledged(running: Load, count: number): Promise<void> {
  await eventually(async () => ((running.stats()?.acknowledged ?? 0) > count ? true : undefined));
}

async function probes(): Promise<number> {
  const { rows } = await withSuperuser(cluster, 'orders', (client) => client.query<{ n: number }>('SELECT count(*)::int AS n FROM probe'));
  return rows[0]?.n ?? 0;
}

/** Sooner than the figures of the load, which come each second. */
async function written(more: number): Promise<void> {
  const before = await probes();
  await eventually(async () => (await probes()) > before + more || undefined);
}

async function verdict(report: LoadReport, sabotage?: string): Promise<Verdict> {
  return await withSuperuser(cluster, 'orders', async (client) => {
    // Never committed: the connection ends with it.
    await client.query('BEGIN');
    if (sabotage !== undefined) await client.query(sabotage);
    return await judge(report, client, client);
  });
}

const nothingWrong = { lost: 0, ghost: 0, duplicated: 0, torn: 0, sequencesBehind: [], oldSideWritesAfterFence: 0 };

describe('the load', () => {
  it('writes at its pace, through PgBouncer where that is installed, without an error, and every write is there', async () => {
    const reportFile = join(folder.path, 'report.json');
    const { host, port } = pgbouncer ?? cluster;
    const running = load([{ host, port, dbname: 'orders' }], { reportFile, perSecond: 200 });
    await acknowledged(running, 100);
    const report = await running.stop();
    expect(report).toMatchObject({ clientErrors: {}, inDoubt: 0, unresolved: 0, unexplained: 0 });
    expect(report.acknowledgedPerSecond).toBeLessThan(230);
    expect(report.acknowledged).toBe(report.clients.reduce((sum, one) => sum + one.acknowledged, 0));
    expect(await running.stop()).toBe(report);
    expect(await verdict(report)).toMatchObject(nothingWrong);
  });

  it('loses nothing when the server is killed and sessions are ended under it: what is in doubt is settled by the retry', async () => {
    const running = load(direct());
    await written(50);
    for (let round = 0; round < 6; round += 1) {
      if (round === 3) {
        process.kill(cluster.pid, 'SIGKILL');
        await cluster.restart();
      } else {
        await withSuperuser(cluster, 'postgres', (client) =>
          client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orders_app'"),
        );
      }
      await written(10);
    }
    const report = await running.stop();
    expect(report.clientErrors['57P01'] ?? 0).toBeGreaterThan(0);
    expect(report).toMatchObject({ unresolved: 0, unexplained: 0, inDoubtResolved: report.inDoubt });
    expect(await verdict(report)).toMatchObject(nothingWrong);
  });

  it('settles a COMMIT whose answer is lost: what was committed is found, and not made twice', async () => {
    const way = await answerEater(cluster, 5);
    try {
      const running = load([{ host: '127.0.0.1', port: way.port, dbname: 'orders' }]);
      await written(80);
      const report = await running.stop();
      expect(way.eaten()).toBeGreaterThan(10);
      expect(report).toMatchObject({ inDoubt: way.eaten(), inDoubtResolved: way.eaten(), unresolved: 0, unexplained: 0 });
      expect(report.clientErrors).toEqual({ 'connection-lost': way.eaten() });
      expect(await verdict(report)).toMatchObject(nothingWrong);
    } finally {
      await way.close();
    }
  });

  it('goes to the next address when the first lets nobody in, and that is no error', async () => {
    const closed = { host: '127.0.0.1', port: 9, dbname: 'orders' };
    const running = load([closed, ...direct()]);
    await written(20);
    const report = await running.stop();
    expect(report.clientErrors).toEqual({});
  });

  it('reports a write that nobody acknowledges as attempted, and ends all the same', async () => {
    const running = load([{ host: '127.0.0.1', port: 9, dbname: 'orders' }], { clients: 1, giveUpMs: 50 });
    await expect.poll(() => running.stats()?.clientErrors ?? 0, { timeout: 20_000 }).toBeGreaterThan(2);
    const report = await running.stop();
    expect(report.clients).toMatchObject([{ acknowledged: 0, attempted: 1, unresolved: false }]);
    expect(Object.keys(report.clientErrors)).toEqual(['ECONNREFUSED']);
  });
});

describe('the judge', () => {
  let report: LoadReport;
  let client: number;
  beforeAll(async () => {
    const running = load(direct());
    await written(100);
    report = await running.stop();
    client = report.clients[0]?.client ?? 0;
  });
  // What the judge says wrong of sound data would be worth nothing.
  beforeEach(async () => {
    expect(await verdict(report)).toMatchObject(nothingWrong);
  });

  it.each<[string, () => string, Partial<Verdict>]>([
    [
      'a lost write',
      () => `DELETE FROM probe WHERE client = ${client} AND n = 3; DELETE FROM orders WHERE reference = 'probe/${client}/3'`,
      { lost: 1, torn: 0 },
    ],
    ['a ghost', () => `INSERT INTO probe VALUES (${client}, 1000000)`, { ghost: 1 }],
    ['an order without its probe', () => `DELETE FROM probe WHERE client = ${client} AND n = 3`, { lost: 1, torn: 1 }],
    ['a probe without its order', () => `DELETE FROM orders WHERE reference = 'probe/${client}/4'`, { lost: 0, torn: 1 }],
    [
      'an effect that happened twice',
      () => `INSERT INTO orders (number, customer_id, total, reference) VALUES (-1, 1, 1, 'probe/${client}/4')`,
      { duplicated: 1, torn: 0 },
    ],
  ])('sees %s', async (_what, sabotage, expected) => {
    expect(await verdict(report, sabotage())).toMatchObject(expected);
  });

  it.each([
    ['of an identity column', 'public.orders_id_seq', 1],
    ['that no column owns', 'public.order_numbers', 10_001],
    ['of a bigserial in a partitioned table', 'public.order_events_id_seq', 1],
    ['that counts downwards', 'billing.credit_numbers', -2],
  ])('sees a sequence %s that is behind', async (_what, sequence, value) => {
    const found = await withSuperuser(cluster, 'orders', async (connection) => {
      const { rows } = await connection.query<{ last_value: string }>(`SELECT last_value::text FROM ${sequence}`);
      await connection.query('SELECT setval($1, $2)', [sequence, value]);
      const behind = (await judge(report, connection)).sequencesBehind.map((one) => one.sequence);
      await connection.query('SELECT setval($1, $2)', [sequence, rows[0]?.last_value]);
      return behind;
    });
    expect(found).toEqual([sequence]);
  });

  it('sees writes that only the old side took', async () => {
    const old = new pg.Client({
      host: cluster.host,
      port: cluster.port,
      user: cluster.superuser,
      password: cluster.password,
      database: 'orders',
    });
    await old.connect();
    try {
      await old.query('BEGIN');
      await old.query('INSERT INTO probe VALUES ($1, 2000000), ($1, 2000001)', [client]);
      const seen = await withSuperuser(cluster, 'orders', (serving) => judge(report, serving, old));
      expect(seen).toMatchObject({
        lost: 0,
        oldSideWritesAfterFence: 2,
        examples: { oldSide: [`${client}/2000000`, `${client}/2000001`] },
      });
    } finally {
      await old.end();
    }
  });
});
