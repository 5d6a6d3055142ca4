import { join } from 'node:path';
import { scramVerifier } from '../../../activities/postgres/scram-verifier.ts';
import { createApplicationDatabase, fillApplication, migrateApplication } from '../../../sandbox/application/application.ts';
import { startCluster, type Cluster } from '../../../sandbox/postgres.ts';
import type { OwnSource } from '../../e2e/databases.ts';
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

/** A third server, which no inventory knows, with the application's tables and no rows. */
export async function anotherServer(directory: string): Promise<Cluster> {
  const cluster = await startCluster({ name: 'another', major: 18, directory: join(directory, 'another'), settings });
  await createApplicationDatabase(cluster, { steadyhand: scramVerifier('unused'), orders_app: scramVerifier('unused') });
  await migrateApplication(cluster);
  return cluster;
}
