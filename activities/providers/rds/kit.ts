import { against, type FactFinding } from '../../../domain/finding.ts';
import { awsCodeOf, type Rds } from './look.ts';

const absent = new Set(['DBParameterGroupNotFound', 'DBSubnetGroupNotFound', 'NotFound', 'DBSubnetGroupNotFoundFault']);

async function unlessAbsent<Answer>(ask: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await ask;
  } catch (error) {
    if (absent.has(awsCodeOf(error))) return undefined;
    throw error;
  }
}

/** The group is there and for this version: `postgres16` for 16.4. */
export async function parameterGroup({ aws }: Rds, region: string, called: string, version: string): Promise<FactFinding[]> {
  const answer = await unlessAbsent(aws.call(region, 'rds:DescribeDBParameterGroups', { DBParameterGroupName: called }, called));
  const [group] = answer?.DBParameterGroups ?? [];
  if (!group) return [against('parameter group', `there is no parameter group "${called}" in ${region}`, createOrCorrect)];
  const family = `postgres${version.split('.')[0] ?? ''}`;
  if (group.DBParameterGroupFamily === family) return [];
  const other = group.DBParameterGroupFamily ?? 'another engine';
  const evidence = `the parameter group "${called}" in ${region} is for ${other}, not for ${family}`;
  return [against('parameter group', evidence, `Name a group for ${family} in the inventory.`)];
}

/** Else the restored subscriptions eat the live server's slots, and its cron fires. */
export async function quarantineParameters({ aws }: Rds, region: string, called: string): Promise<FactFinding[]> {
  const set = new Map<string, string>();
  let from: { Marker?: string } = {};
  do {
    const ask = { DBParameterGroupName: called, Source: 'user', ...from };
    const page = await unlessAbsent(aws.call(region, 'rds:DescribeDBParameters', ask, called));
    if (!page) return [];
    for (const { ParameterName: name = '', ParameterValue: to = '' } of page.Parameters ?? []) set.set(name, to);
    from = page.Marker ? { Marker: page.Marker } : {};
  } while (from.Marker !== undefined);
  const value = (name: string): string => set.get(name) ?? '';
  const workers = value('max_logical_replication_workers');
  const group = `the quarantine's parameter group "${called}" in ${region}`;
  const found: FactFinding[] = [];
  if (workers !== '0') {
    const evidence = `${group} must have max_logical_replication_workers = 0, not "${workers}"`;
    found.push(against('quarantine', evidence, 'Set it to 0 in this group.'));
  }
  if (value('shared_preload_libraries').includes('pg_cron')) {
    const evidence = `${group} preloads pg_cron, whose jobs would run on the restored instance`;
    found.push(against('quarantine', evidence, 'Remove pg_cron from its shared_preload_libraries.'));
  }
  return found;
}

export async function subnetGroup({ aws }: Rds, region: string, called: string): Promise<FactFinding[]> {
  const answer = await unlessAbsent(aws.call(region, 'rds:DescribeDBSubnetGroups', { DBSubnetGroupName: called }, called));
  if ((answer?.DBSubnetGroups ?? []).length > 0) return [];
  return [against('subnet group', `there is no subnet group "${called}" in ${region}`, createOrCorrect)];
}

const createOrCorrect = 'Create it there, or correct its name in the inventory.';

export async function engineVersion({ aws }: Rds, region: string, version: string): Promise<FactFinding[]> {
  const answer = await aws.call(region, 'rds:DescribeDBEngineVersions', { Engine: 'postgres', EngineVersion: version }, version);
  if ((answer.DBEngineVersions ?? []).length > 0) return [];
  const evidence = `RDS offers PostgreSQL ${version} no more in ${region}, so nothing of it can be restored there`;
  return [against('engine version', evidence, 'Upgrade the instance to a version that RDS offers there.')];
}

/** `more`: what the run is going to add, by AWS's name of the quota. */
export async function quotas({ aws }: Rds, region: string, more: Readonly<Record<string, number>>): Promise<FactFinding[]> {
  const answer = await aws.call(region, 'rds:DescribeAccountAttributes', {});
  return (answer.AccountQuotas ?? []).flatMap(({ AccountQuotaName: called = '', Used: used = 0, Max: max = Infinity }): FactFinding[] => {
    const added = more[called] ?? 0;
    if (added === 0 || used + added <= max) return [];
    const evidence = `the account may have ${max} ${called} in ${region}, has ${used}, and the run adds ${added}`;
    return [against('quota', evidence, 'Remove what nobody needs, or ask AWS for a higher quota.', 'quota-exceeded')];
  });
}

/** The key is there, enabled, and stays. */
export async function usableKey({ aws }: Rds, region: string, key: string): Promise<FactFinding[]> {
  const answer = await unlessAbsent(aws.call(region, 'kms:DescribeKey', { KeyId: key }, key));
  const { KeyMetadata: found } = answer ?? {};
  if (!found) return [against('key', `there is no key "${key}" in ${region}`, createOrCorrect)];
  const usable = found.Enabled === true && (found.KeyState ?? 'Enabled') === 'Enabled';
  if (usable) return [];
  const evidence = `the key "${key}" in ${region} cannot be used: it is ${found.KeyState ?? 'disabled'}`;
  return [against('key', evidence, 'Make it usable again, or name another one in the inventory.')];
}
