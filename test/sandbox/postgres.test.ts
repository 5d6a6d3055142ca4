import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSuperuser } from '../../sandbox/application/application.ts';
import { startCluster } from '../../sandbox/postgres.ts';
import { ownFolder, processesIn } from './support.ts';

let folder: Awaited<ReturnType<typeof ownFolder>>;
beforeAll(async () => {
  folder = await ownFolder();
});
afterAll(() => folder.remove());

const settings = { fsync: 'off', shared_buffers: '16MB' };

describe('a cluster', () => {
  it.each([16, 18] as const)('of PostgreSQL %i starts with its settings, asks for the password, and is gone after stop', async (major) => {
    const directory = join(folder.path, `major-${major}`);
    const cluster = await startCluster({ name: 'one', major, directory, settings: { ...settings, wal_level: 'logical', work_mem: '5MB' } });
    try {
      const seen = await withSuperuser(cluster, 'postgres', (client) =>
        client.query(
          "SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('wal_level') AS level, current_setting('work_mem') AS mem",
        ),
      );
      expect(seen.rows).toEqual([{ major, level: 'logical', mem: '5MB' }]);
      const wrong = new pg.Client({
        host: cluster.host,
        port: cluster.port,
        user: cluster.superuser,
        password: 'wrong',
        database: 'postgres',
      });
      await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' });
    } finally {
      await cluster.stop();
    }
    await cluster.stop();
    expect(processesIn(directory)).toEqual([]);
  });

  it('keeps its data and port through restart, kill -9 and a start from its directory', async () => {
    const options = { name: 'two', major: 18, directory: join(folder.path, 'two'), settings } as const;
    const cluster = await startCluster(options);
    await withSuperuser(cluster, 'postgres', (client) =>
      client.query('CREATE TABLE kept (n int); INSERT INTO kept VALUES (1); CHECKPOINT'),
    );
    const { pid, port } = cluster;
    await cluster.restart();
    expect(cluster.pid).not.toBe(pid);
    process.kill(cluster.pid, 'SIGKILL');
    await cluster.restart();
    await cluster.stop();
    const again = await startCluster({ ...options, port });
    try {
      expect(again).toMatchObject({ port, password: cluster.password });
      const seen = await withSuperuser(again, 'postgres', (client) => client.query('SELECT n FROM kept'));
      expect(seen.rows).toEqual([{ n: 1 }]);
    } finally {
      await again.stop();
    }
  });

  it('that cannot start says why, and leaves no process', async () => {
    const directory = join(folder.path, 'three');
    const wrong = startCluster({ name: 'three', major: 18, directory, settings: { shared_buffers: 'lots' } });
    await expect(wrong).rejects.toMatchObject({
      code: 'tool-failed',
      message: expect.stringContaining('invalid value for parameter "shared_buffers"'),
    });
    expect(processesIn(directory)).toEqual([]);
  });
});
