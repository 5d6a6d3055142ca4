import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { withSuperuser } from '../../../sandbox/application/application.ts';
import { movePlace } from '../../e2e/place.ts';
import { eventually } from '../../support/eventually.ts';
import { contentsOf } from '../../e2e/contents.ts';
import { anotherServer, fifteen } from './fifteen.ts';

const place = movePlace();

test('another subscriber of all tables works during the run, and goes on at the new side with every row', async () => {
  const move = await place.begin({ source: fifteen() });
  const source = await move.connect('source');
  const reader = await subscriber();
  for (const side of [source, await move.connect('target')]) await side.query(readerRole);
  await source.query('CREATE PUBLICATION everything FOR ALL TABLES');
  const { rows: old } = await source.query<{ port: number }>('SELECT inet_server_port() AS port');
  await reader.query(`CREATE SUBSCRIPTION reader CONNECTION '${conninfo(old[0]?.port, move.dbname)}' PUBLICATION everything`);
  const writers = move.load();
  const run = await move.request();
  await move.agree(run, 'approve-prepare');
  await move.agree(run, 'approve-switch');
  const closed = await move.until(run, (now) => now.state === 'closed', 100_000);
  expect(closed).toMatchObject({ outcome: 'succeeded', evidence: { compare: { tablesDiffering: 0 }, retire: { lateWrites: 0 } } });
  await writers.stop();
  const old15 = await contentsOf(await move.connect('source'), ['r']);
  await eventually(async () => JSON.stringify(await contentsOf(reader, ['r'])) === JSON.stringify(old15) || undefined, 15_000);
});

const readerRole = `CREATE ROLE reader LOGIN REPLICATION PASSWORD 'reader';
  GRANT USAGE ON SCHEMA billing TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public, billing TO reader`;

const conninfo = (port: number | undefined, dbname: string): string =>
  `host=127.0.0.1 port=${port} dbname=${dbname} user=reader password=reader`;

/** The database of a subscriber on a server of its own. */
async function subscriber(): Promise<pg.Client> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-other-'));
  await chmod(directory, 0o755);
  onTestFinished(async () => await rm(directory, { recursive: true, force: true }));
  const cluster = await anotherServer(directory);
  onTestFinished(async () => await cluster.stop());
  await withSuperuser(cluster, 'postgres', async (client) => void (await client.query("ALTER ROLE steadyhand PASSWORD 'here'")));
  const { host, port } = cluster;
  const client = new pg.Client({ host, port, user: 'steadyhand', password: 'here', database: 'orders' });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(async () => await client.end());
  return client;
}
