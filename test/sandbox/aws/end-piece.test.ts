import { expect, it, onTestFinished } from 'vitest';
import { withSuperuser } from '../../../sandbox/application/application.ts';
import { endPiece } from '../../../sandbox/aws/rds/heartbeat.ts';
import { startCluster } from '../../../sandbox/postgres.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { ownFolder } from '../support.ts';

it.each([
  { of: 'PostgreSQL 18', program: { major: 18 as const } },
  ...(postgres15 === undefined ? [] : [{ of: 'PostgreSQL 15', program: { bin: postgres15 } }]),
])('of two heartbeats at once both are told the piece that has their commits ($of)', async ({ program }) => {
  const folder = await ownFolder();
  onTestFinished(folder.remove);
  const cluster = await startCluster({ name: 'pieces', directory: folder.path, ...program });
  try {
    await withSuperuser(cluster, 'postgres', async (client) => {
      const { rows } = await client.query<{ segment: string }>(
        'SELECT pg_walfile_name(pg_current_wal_insert_lsn()) AS segment FROM pg_current_xact_id()',
      );
      expect([await endPiece(client), await endPiece(client)]).toEqual([rows[0]?.segment, rows[0]?.segment]);
    });
  } finally {
    await cluster.stop();
  }
});
