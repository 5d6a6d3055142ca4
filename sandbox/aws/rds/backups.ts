import type { RdsRegion, Snapshot } from './model.ts';

export interface Backup {
  readonly snapshot: Snapshot;
  /** The first whole second after its end; recovery can't stop earlier. */
  readonly restorableFrom: Date;
}

/** The usable automated backups of an instance, oldest first. */
export function backupsOf(rds: RdsRegion, resourceId: string): Backup[] {
  return Object.values(rds.snapshots)
    .filter((one) => one.type === 'automated' && one.resourceId === resourceId && one.status === 'available')
    .map((snapshot) => ({ snapshot, restorableFrom: new Date(Math.ceil(new Date(snapshot.createdAt ?? '').getTime() / 1_000) * 1_000) }))
    .toSorted((one, other) => one.restorableFrom.getTime() - other.restorableFrom.getTime());
}
