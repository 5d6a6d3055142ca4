import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withSuperuser } from '../../application/application.ts';
import { giveToPostgres } from '../../postgres-user.ts';
import type { Cluster } from '../../postgres.ts';
import { copyFolder, makeFolder } from './copy-folder.ts';
import { systemDatabase } from './roles.ts';

/** Folders whose contents belong to the running server alone, or come from its WAL: empty in a backup. */
const emptied = ['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans'];
const left = [...emptied, 'postmaster.pid', 'postmaster.opts', 'recovery.signal', 'standby.signal'];

/**
 * A base backup that needs nothing else to start: the files, the label and the WAL of its time. The folder is made anew.
 * Returns when it ended; no later commit is in it.
 */
export async function takeBaseBackup(cluster: Cluster, folder: string): Promise<Date> {
  await rm(folder, { recursive: true, force: true });
  await makeFolder(folder);
  const data = join(folder, 'data');
  return await withSuperuser(cluster, systemDatabase, async (client) => {
    const slot = `backup_${process.pid}_${Date.now()}`;
    // Holds the WAL of the backup's time; temporary, so it goes with the connection.
    await client.query('SELECT pg_create_physical_replication_slot($1, true, true)', [slot]);
    const began = await client.query("SELECT pg_walfile_name(pg_backup_start('steadyhand', true)) AS segment");
    await copyFolder(cluster.dataDirectory, data, (name) => left.includes(name));
    for (const name of emptied) await makeFolder(join(data, name));
    const ended = await client.query<{ segment: string; label: string }>(
      'SELECT pg_walfile_name(lsn) AS segment, labelfile AS label FROM pg_backup_stop(false)',
    );
    const stopped = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    const [last, time] = [ended.rows[0], stopped.rows[0]];
    if (!last || !time) throw new Error('pg_backup_stop gave no row');
    await copyWal(cluster, data, began.rows[0].segment, last.segment);
    await writeFile(join(data, 'backup_label'), last.label, { mode: 0o600 });
    await giveToPostgres(join(data, 'backup_label'));
    return time.now;
  });
}

/** The segments from the first to the last, and the histories of timelines. */
async function copyWal(cluster: Cluster, data: string, first: string, last: string): Promise<void> {
  const wal = join(cluster.dataDirectory, 'pg_wal');
  const wanted = new Set(
    (await readdir(wal)).filter((name) => name.endsWith('.history') || (/^[0-9A-F]{24}$/.test(name) && name >= first && name <= last)),
  );
  await copyFolder(wal, join(data, 'pg_wal'), (name) => !wanted.has(name));
}
