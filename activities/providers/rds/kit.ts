import { Failure } from '../../../domain/failure.ts';
import { awsCodeOf, type Rds } from './look.ts';

/** Something that would make the run fail later: one line for the plan. */
export interface Finding {
  readonly code: 'plan-impossible' | 'quota-exceeded' | 'foreign-object';
  readonly text: string;
}

const missing = (text: string): Finding[] => [{ code: 'plan-impossible', text }];

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
export async function parameterGroup({ aws }: Rds, region: string, called: string, version: string): Promise<Finding[]> {
  const answer = await unlessAbsent(aws.call(region, 'rds:DescribeDBParameterGroups', { DBParameterGroupName: called }, called));
  const [group] = answer?.DBParameterGroups ?? [];
  if (!group) return missing(`there is no parameter group "${called}" in ${region}`);
  const family = `postgres${version.split('.')[0] ?? ''}`;
  if (group.DBParameterGroupFamily === family) return [];
  return missing(
    `the parameter group "${called}" in ${region} is for ${group.DBParameterGroupFamily ?? 'another engine'}, not for ${family}`,
  );
}

/** Else the restored subscriptions eat the live server's slots, and its cron fires. */
export async function quarantineParameters({ aws }: Rds, region: string, called: string): Promise<Finding[]> {
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
  return [
    ...(workers === '0'
      ? []
      : missing(
          `the quarantine's parameter group "${called}" in ${region} must have max_logical_replication_workers = 0, not "${workers}"`,
        )),
    ...(value('shared_preload_libraries').includes('pg_cron')
      ? missing(`the quarantine's parameter group "${called}" in ${region} preloads pg_cron, whose jobs would run on the restored instance`)
      : []),
  ];
}

export async function subnetGroup({ aws }: Rds, region: string, called: string): Promise<Finding[]> {
  const answer = await unlessAbsent(aws.call(region, 'rds:DescribeDBSubnetGroups', { DBSubnetGroupName: called }, called));
  return (answer?.DBSubnetGroups ?? []).length > 0 ? [] : missing(`there is no subnet group "${called}" in ${region}`);
}

export async function engineVersion({ aws }: Rds, region: string, version: string): Promise<Finding[]> {
  const answer = await aws.call(region, 'rds:DescribeDBEngineVersions', { Engine: 'postgres', EngineVersion: version }, version);
  if ((answer.DBEngineVersions ?? []).length > 0) return [];
  return missing(`RDS offers PostgreSQL ${version} no more in ${region}, so nothing of it can be restored there`);
}

/** `more`: what the run is going to add, by AWS's name of the quota. */
export async function quotas({ aws }: Rds, region: string, more: Readonly<Record<string, number>>): Promise<Finding[]> {
  const answer = await aws.call(region, 'rds:DescribeAccountAttributes', {});
  return (answer.AccountQuotas ?? []).flatMap(({ AccountQuotaName: called = '', Used: used = 0, Max: max = Infinity }): Finding[] => {
    const added = more[called] ?? 0;
    if (added === 0 || used + added <= max) return [];
    return [{ code: 'quota-exceeded', text: `the account may have ${max} ${called} in ${region}, has ${used}, and the run adds ${added}` }];
  });
}

/** The key is there, enabled, and stays. */
export async function usableKey({ aws }: Rds, region: string, key: string): Promise<Finding[]> {
  const answer = await unlessAbsent(aws.call(region, 'kms:DescribeKey', { KeyId: key }, key));
  const { KeyMetadata: found } = answer ?? {};
  if (!found) return missing(`there is no key "${key}" in ${region}`);
  const usable = found.Enabled === true && (found.KeyState ?? 'Enabled') === 'Enabled';
  return usable ? [] : missing(`the key "${key}" in ${region} cannot be used: it is ${found.KeyState ?? 'disabled'}`);
}

/** Raises all findings together, under the first one's code. */
export function refuse(database: string, findings: readonly Finding[]): void {
  const [first] = findings;
  if (!first) return;
  const list = [...new Set(findings.map(({ text }) => text))];
  throw new Failure(first.code, `${database}: ${list.join('; ')}. Nothing was made.`, { database, findings: list });
}
