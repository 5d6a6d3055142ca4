import { AwsError } from '../aws-error.ts';
import type { Call } from '../place.ts';
import { list, type Xml } from '../xml.ts';
import type { RdsRegion } from './model.ts';

/** AWS's defaults for one account in one region. */
const limits = { instances: 40, storage: 100_000, snapshots: 100, parameterGroups: 50, subnetGroups: 50, optionGroups: 20 };

/** Throws InstanceQuotaExceeded or StorageQuotaExceeded when one more with so many GiB does not fit. */
export function roomForInstance(rds: RdsRegion, storage: number): void {
  const used = usage(rds);
  if (used.instances >= limits.instances) throw new AwsError('InstanceQuotaExceeded', 'DB Instance quota exceeded');
  if (used.storage + storage > limits.storage) throw new AwsError('StorageQuotaExceeded', 'Storage quota exceeded');
}

/** Throws SnapshotQuotaExceeded; automated snapshots do not count. */
export function roomForSnapshot(rds: RdsRegion): void {
  if (usage(rds).snapshots >= limits.snapshots)
    throw new AwsError('SnapshotQuotaExceeded', `Cannot create more than ${limits.snapshots} manual snapshots`);
}

export function roomForParameterGroup(rds: RdsRegion): void {
  if (usage(rds).parameterGroups >= limits.parameterGroups)
    throw new AwsError('DBParameterGroupQuotaExceeded', `Cannot create more than ${limits.parameterGroups} parameter groups`);
}

function usage(rds: RdsRegion): typeof limits {
  const instances = Object.values(rds.instances);
  return {
    instances: instances.length,
    storage: instances.reduce((sum, one) => sum + one.storage, 0),
    snapshots: Object.values(rds.snapshots).filter(({ type }) => type === 'manual').length,
    parameterGroups: Object.keys(rds.parameterGroups).length,
    subnetGroups: Object.keys(rds.subnetGroups).length,
    optionGroups: Object.keys(rds.optionGroups).length,
  };
}

export function describeAccountAttributes({ rds }: Call): Xml {
  const used = usage(rds);
  const quotas = [
    ['DBInstances', used.instances, limits.instances],
    ['AllocatedStorage', used.storage, limits.storage],
    ['ManualSnapshots', used.snapshots, limits.snapshots],
    ['DBParameterGroups', used.parameterGroups, limits.parameterGroups],
    ['DBSubnetGroups', used.subnetGroups, limits.subnetGroups],
    ['OptionGroups', used.optionGroups, limits.optionGroups],
  ] as const;
  return {
    AccountQuotas: list(
      'AccountQuota',
      quotas.map(([name, count, max]) => ({ AccountQuotaName: name, Used: count, Max: max })),
    ),
  };
}
