import { takeBaseBackup } from '../clusters/base-backup.ts';
import { foldersOf } from '../clusters/folders.ts';
import { rdsOf, type Place } from '../place.ts';
import { note } from './events.ts';
import type { Instance, Snapshot } from './model.ts';

/** The snapshot with that key. Throws when it is gone. */
export function snapshotBy(place: Place, region: string, key: string): Snapshot {
  const found = Object.values(rdsOf(place, region).snapshots).find((one) => one.key === key);
  if (!found) throw new Error(`there is no snapshot ${key}`);
  return found;
}

/** Takes it: a base backup of what writes. What it shows as its time is when that ended, so no later row is in it. */
export async function fillSnapshot(place: Place, instance: Instance, snapshot: Snapshot): Promise<void> {
  const ended = await takeBaseBackup(place.servers.writer(instance), foldersOf(place.directory).snapshot(snapshot.key));
  snapshot.createdAt = ended.toISOString();
  snapshot.originalCreatedAt = snapshot.createdAt;
  snapshot.progress = 50;
}

export function finished(place: Place, snapshot: Snapshot): void {
  snapshot.status = 'available';
  snapshot.progress = 100;
  const sourceType = 'db-snapshot' as const;
  const kind = snapshot.type === 'manual' ? 'Manual' : 'Automated';
  note(place, snapshot.region, { source: snapshot.id, sourceType, message: `${kind} snapshot created`, categories: ['creation'] });
}

export function snapshotFailed(place: Place, region: string, key: string): void {
  snapshotBy(place, region, key).status = 'failed';
}
