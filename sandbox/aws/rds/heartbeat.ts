import { setTimeout as wait } from 'node:timers/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { withSuperuser } from '../../application/application.ts';
import { until } from '../../until.ts';
import { systemDatabase } from '../clusters/roles.ts';
import { foldersOf } from '../clusters/folders.ts';
import { rdsOf, type Place } from '../place.ts';
import { backupsOf } from './backups.ts';
import { seconds } from './durations.ts';
import type { Instance } from './model.ts';

const beating = ['available', 'storage-optimization', 'backing-up'];

/**
 * What AWS does by itself, at its pace, until it is told to stop: moves the latest restorable time of all instances on, takes the
 * day's backup, and applies in the week's maintenance window what waits for it.
 */
export async function beatAll(place: Place, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const instances = Object.values(place.state.rds).flatMap((rds) => Object.values(rds.instances));
    await Promise.all(instances.filter((one) => beating.includes(one.status) && one.retention > 0).map((one) => tryBeat(place, one)));
    for (const instance of instances.filter(({ status }) => status === 'available')) {
      if (inWindow(place, instance)) place.jobs.begin('modify', instance.region, instance.resourceId, { apply: true });
      else if (isDue(place, instance)) place.jobs.begin('backup', instance.region, instance.resourceId);
    }
    await wait(place.pace(seconds.heartbeat), undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** Whether a weekly window has opened since the change was asked for; the first one is a week after the creation. */
function inWindow(place: Place, { pendingSince, createdAt }: Instance): boolean {
  const weeks = (time: number): number => Math.floor((time - new Date(createdAt).getTime()) / place.pace(seconds.betweenMaintenance));
  return pendingSince !== undefined && weeks(Date.now()) > weeks(new Date(pendingSince).getTime());
}

function isDue(place: Place, { retention, region, resourceId }: Instance): boolean {
  const last = backupsOf(rdsOf(place, region), resourceId).at(-1);
  return retention > 0 && last !== undefined && Date.now() - last.restorableFrom.getTime() > place.pace(seconds.betweenBackups);
}

/** As `beat`, for when its failure is only a delay: it is logged. */
export async function tryBeat(place: Place, instance: Instance): Promise<void> {
  try {
    if (place.servers.runs(instance)) await beat(place, instance);
  } catch (error) {
    place.log(`${instance.id}: its WAL is not archived: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * As at AWS a commit of its own ends each piece of the archive. All until just before that commit is restorable, so recovery to
 * any second up to then finds a later commit to stop at, also in a database that nobody writes to.
 */
async function beat(place: Place, instance: Instance): Promise<void> {
  const [time, segment] = await withSuperuser(place.servers.writer(instance), systemDatabase, async (client) => {
    const before = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    await client.query('SELECT pg_current_xact_id()');
    return [before.rows[0]?.now, await endPiece(client)] as const;
  });
  if (!time || !segment) return;
  const file = join(foldersOf(place.directory).archive(instance.resourceId), segment);
  // Short, as all instances wait for the slowest: a server that a failover ended meanwhile archives nothing more.
  await until(`the segment ${segment} is archived`, () => existsSync(file) || undefined, { withinMs: 5_000 });
  instance.latestRestorable = new Date(Math.floor((time.getTime() - 1) / 1_000) * 1_000).toISOString();
  place.save();
}

/** The name of the piece that has the last commit. Of two heartbeats at once one finds it ended already, and is told the same. */
export async function endPiece(client: Pick<Client, 'query'>): Promise<string | undefined> {
  const { rows } = await client.query<{ segment: string }>('SELECT pg_walfile_name(pg_switch_wal() - 1) AS segment');
  return rows[0]?.segment;
}
