import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { foldersOf } from '../clusters/folders.ts';
import type { JobKind } from '../jobs.ts';
import { rdsOf, type Place } from '../place.ts';
import { backupsOf } from './backups.ts';
import { tryBeat } from './heartbeat.ts';
import type { Instance } from './model.ts';
import { addSnapshot, removeSnapshot } from './snapshots.ts';
import { fillSnapshot, finished } from './snapshot-work.ts';

/** Takes an automated backup, and lets those go that the retention does not need any more. */
export async function backUp(place: Place, instance: Instance): Promise<void> {
  const time = new Date().toISOString().replaceAll(/[T:]/g, '-').slice(0, 19);
  const rds = rdsOf(place, instance.region);
  // An earlier try that was cut off.
  for (const left of Object.values(rds.snapshots))
    if (left.type === 'automated' && left.resourceId === instance.resourceId && left.status === 'creating') removeSnapshot(place, left);
  const snapshot = addSnapshot(place, instance, `rds:${instance.id}-${time}`, 'automated', []);
  await fillSnapshot(place, instance, snapshot);
  finished(place, snapshot);
  await expire(place, instance);
  await nextSecond();
  await tryBeat(place, instance);
}

/** The first restorable second is the one after the backup: with this there is one as soon as the instance is available. */
async function nextSecond(): Promise<void> {
  await wait(1_050 - (Date.now() % 1_000));
}

/** A backup goes when a later one is older than the retention too, which is counted in days of the stand-in; its WAL as well. */
async function expire(place: Place, { region, resourceId, retention }: Instance): Promise<void> {
  const { jobs } = place.state;
  if (jobs.some(({ kind, input }) => kind === 'restore-to-point-in-time' && input['archive'] === resourceId)) return;
  const oldest = Date.now() - retention * place.pace(86_400);
  const backups = backupsOf(rdsOf(place, region), resourceId);
  const kept = backups.findLastIndex(({ restorableFrom }) => restorableFrom.getTime() < oldest);
  for (const { snapshot } of backups.slice(0, Math.max(0, kept))) removeSnapshot(place, snapshot);
  const first = backups[Math.max(0, kept)];
  if (first) await prune(place, resourceId, first.snapshot.key);
}

/** Removes the WAL that ends before the backup began. Names are compared without their timeline, as they go on through a failover. */
async function prune(place: Place, resourceId: string, key: string): Promise<void> {
  const folders = foldersOf(place.directory);
  const label = await readFile(join(folders.snapshot(key), 'data', 'backup_label'), 'utf8');
  const needed = /\(file [0-9A-F]{8}([0-9A-F]{16})\)/.exec(label)?.[1];
  const archive = folders.archive(resourceId);
  for (const name of await readdir(archive))
    if (needed !== undefined && /^[0-9A-F]{24}$/.test(name) && name.slice(8) < needed) await rm(join(archive, name), { force: true });
}

/** Removes the automated backups of an instance and its archive. */
export function dropBackups(place: Place, region: string, resourceId: string): void {
  for (const { snapshot } of backupsOf(rdsOf(place, region), resourceId)) removeSnapshot(place, snapshot);
  place.jobs.begin('remove-archive', region, resourceId);
}

function removing(folder: (place: Place, resource: string) => string): JobKind {
  return {
    phases: (place, job) => [{ lasts: 0, work: () => rm(folder(place, job.resource), { recursive: true, force: true }) }],
    failed: () => undefined,
  };
}

export const backupJobs: Readonly<Record<string, JobKind>> = {
  'remove-files': removing(({ directory }, key) => foldersOf(directory).snapshot(key)),
  'remove-archive': removing(({ directory }, resourceId) => foldersOf(directory).archive(resourceId)),
};
