import { AwsError } from '../aws-error.ts';
import type { Call } from '../place.ts';
import { list, type Xml } from '../xml.ts';
import type { Quotas } from './default-quotas.ts';
import type { RdsRegion } from './model.ts';

/** Throws InstanceQuotaExceeded or StorageQuotaExceeded when one more with so many GiB does not fit. */
export function roomForInstance({ rds, place: { quotas } }: Call, storage: number): void {
  const used = usage(rds);
  if (used.DBInstances >= quotas.DBInstances) throw new AwsError('InstanceQuotaExceeded', 'DB Instance quota exceeded');
  if (used.AllocatedStorage + storage > quotas.AllocatedStorage) throw new AwsError('StorageQuotaExceeded', 'Storage quota exceeded');
}

/** Throws SnapshotQuotaExceeded; automated snapshots do not count. */
export function roomForSnapshot({ rds, place: { quotas } }: Call): void {
  if (usage(rds).ManualSnapshots >= quotas.ManualSnapshots)
    throw new AwsError('SnapshotQuotaExceeded', `Cannot create more than ${quotas.ManualSnapshots} manual snapshots`);
}

/** Throws SnapshotQuotaExceeded, in other words than a full quota's, while as many copies from other regions are made as may be at once. */
export function roomForCopy({ region, place: { state, copiesAtOnce } }: Call, from: string): void {
  const making = state.jobs.filter((job) => job.kind === 'copy' && job.region === region && job.input['sourceRegion'] !== region);
  if (from !== region && making.length >= copiesAtOnce)
    throw new AwsError('SnapshotQuotaExceeded', `Cannot copy more than ${copiesAtOnce} snapshots across regions`);
}

/** Throws DBParameterGroupQuotaExceeded. */
export function roomForParameterGroup({ rds, place: { quotas } }: Call): void {
  if (usage(rds).DBParameterGroups >= quotas.DBParameterGroups)
    throw new AwsError('DBParameterGroupQuotaExceeded', `Cannot create more than ${quotas.DBParameterGroups} parameter groups`);
}

function usage({ instances, snapshots, parameterGroups }: RdsRegion): Quotas {
  return {
    DBInstances: Object.keys(instances).length,
    AllocatedStorage: Object.values(instances).reduce((sum, { storage }) => sum + storage, 0),
    ManualSnapshots: Object.values(snapshots).filter(({ type }) => type === 'manual').length,
    DBParameterGroups: Object.keys(parameterGroups).length,
  };
}

export function describeAccountAttributes({ rds, place }: Call): Xml {
  const used = Object.entries(usage(rds));
  const limits = new Map(Object.entries(place.quotas));
  return {
    AccountQuotas: list(
      'AccountQuota',
      used.map(([name, count]) => ({ AccountQuotaName: name, Used: count, Max: limits.get(name) })),
    ),
  };
}
