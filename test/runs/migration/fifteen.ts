import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { scramVerifier } from '../../../activities/postgres/scram-verifier.ts';
import { quoteLiteral } from '../../../domain/command.ts';
import { createApplicationDatabase, fillApplication, migrateApplication } from '../../../sandbox/application/application.ts';
import { layoutOf } from '../../../sandbox/layout.ts';
import { startCluster, type Cluster } from '../../../sandbox/postgres.ts';
import type { OwnSource } from '../../e2e/databases.ts';
import type { Move } from '../../e2e/place.ts';
import { postgres15 } from '../../support/postgres-15.ts';

const older = postgres15 === undefined ? ({ major: 16 } as const) : { bin: postgres15 };
const settings = { wal_level: 'logical', max_wal_senders: 20, max_replication_slots: 20, fsync: 'off' };

/** A source with the application's database: Debian's PostgreSQL 15, or the embedded 16 where it is missing. */
export const fifteen = (more: Readonly<Record<string, string>> = {}): OwnSource => ({
  start: async (directory, password) => {
    const cluster = await startCluster({ name: 'source-15', ...older, directory, settings: { ...settings, ...more } });
    await createApplicationDatabase(cluster, { steadyhand: scramVerifier(password), orders_app: scramVerifier(password) });
    await migrateApplication(cluster);
    await fillApplication(cluster, 5_000);
    return cluster;
  },
});

/** Which no inventory knows, with the application's tables and no rows. */
async function anotherServer(directory: string): Promise<Cluster> {
  const cluster = await startCluster({ name: 'another', major: 18, directory: join(directory, 'another'), settings });
  await createApplicationDatabase(cluster, { steadyhand: scramVerifier('unused'), orders_app: scramVerifier('unused') });
  await migrateApplication(cluster);
  return cluster;
}

/** The load's own password works on the source, too. */
export async function letTheLoadIn({ sandbox }: Move, source: pg.Client): Promise<void> {
  const password = (await readFile(layoutOf(sandbox.directory).secretFile('orders_app'), 'utf8')).trim();
  await source.query(`ALTER ROLE orders_app PASSWORD ${quoteLiteral(password)}`);
}

/** A third server for the length of a test, and a connection of its superuser to its database `orders`. */
export async function another(): Promise<{ client: pg.Client; conninfo: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-other-'));
  await chmod(directory, 0o755);
  onTestFinished(async () => await rm(directory, { recursive: true, force: true }));
  const cluster = await anotherServer(directory);
  onTestFinished(async () => await cluster.stop());
  const { host, port, superuser: user, password } = cluster;
  const client = new pg.Client({ host, port, user, password, database: 'orders' });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(async () => await client.end());
  return { client, conninfo: `host=${host} port=${port} user=${user} password=${password} dbname=orders` };
}
