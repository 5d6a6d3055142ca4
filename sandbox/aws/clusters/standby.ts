import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withSuperuser } from '../../application/application.ts';
import { giveToPostgres } from '../../postgres-user.ts';
import type { Cluster } from '../../postgres.ts';
import { until } from '../../until.ts';
import { takeBaseBackup } from './base-backup.ts';

/** A copy of the writer that will follow it once it is started. The folder is made anew. */
export async function makeStandby(writer: Cluster, folder: string, password: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await takeBaseBackup(writer, folder);
  const files = { 'superuser-password': `${password}\n`, 'data/standby.signal': '' };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    await giveToPostgres(join(folder, name));
  }
}

/** Until the standby has all that the writer has flushed, and follows. */
export async function waitForStandby(writer: Cluster): Promise<void> {
  await withSuperuser(writer, 'postgres', (client) =>
    until(
      'the standby follows',
      async () => {
        const seen = await client.query("SELECT 1 FROM pg_stat_replication WHERE application_name = 'standby' AND state = 'streaming'");
        return seen.rowCount === 0 ? undefined : true;
      },
      { withinMs: 60_000 },
    ),
  );
}

/** Ends its recovery; for one that has ended it already it does nothing. */
export async function promote(standby: Cluster): Promise<void> {
  await withSuperuser(standby, 'postgres', (client) => client.query('SELECT pg_promote(true) FROM pg_is_in_recovery() AS yes WHERE yes'));
}
