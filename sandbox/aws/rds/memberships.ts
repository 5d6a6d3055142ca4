import { AwsError } from '../aws-error.ts';
import type { Call } from '../place.ts';
import type { Instance } from './model.ts';
import { subnetGroupNotFound } from './subnet-groups.ts';

const defaultSecurityGroup = 'sg-default';

const defaultParameterGroup = (version: string): string => `default.postgres${Number.parseInt(version, 10)}`;
export const defaultOptionGroup = (version: string): string => `default:postgres-${Number.parseInt(version, 10)}`;

/** The groups that a request names, else AWS's defaults. Throws for one that isn't there or is of another version's family. */
export function checkMemberships(
  call: Call,
  version: string,
): Pick<Instance, 'parameterGroup' | 'optionGroup' | 'subnetGroup' | 'securityGroups'> {
  const { query, rds } = call;
  const subnetGroup = query.text('DBSubnetGroupName') ?? 'default';
  if (!rds.subnetGroups[subnetGroup]) throw subnetGroupNotFound(subnetGroup);
  return {
    parameterGroup: parameterGroup(call, version) ?? defaultParameterGroup(version),
    optionGroup: optionGroup(call, version) ?? defaultOptionGroup(version),
    subnetGroup,
    securityGroups: securityGroups(call) ?? [defaultSecurityGroup],
  };
}

export function parameterGroup({ query, rds }: Call, version: string): string | undefined {
  const name = query.text('DBParameterGroupName')?.toLowerCase();
  if (name === undefined || name === defaultParameterGroup(version)) return name;
  const group = rds.parameterGroups[name];
  if (!group) throw new AwsError('DBParameterGroupNotFound', `DBParameterGroup not found: ${name}`, 404);
  const family = `postgres${Number.parseInt(version, 10)}`;
  if (group.family !== family)
    throw new AwsError(
      'InvalidParameterCombination',
      `The parameter group ${name} with DBParameterGroupFamily ${group.family} can't be used for this instance. Use a parameter group with DBParameterGroupFamily ${family}.`,
    );
  return name;
}

export function optionGroup({ query, rds }: Call, version: string): string | undefined {
  const name = query.text('OptionGroupName')?.toLowerCase();
  if (name === undefined || name === defaultOptionGroup(version) || rds.optionGroups[name]) return name;
  throw new AwsError('OptionGroupNotFoundFault', `Specified OptionGroupName: ${name} not found.`, 404);
}

export function securityGroups({ query, rds }: Call): string[] | undefined {
  const groups = query.texts('VpcSecurityGroupIds');
  const unknown = groups?.find((group) => group !== defaultSecurityGroup && !rds.securityGroups.includes(group));
  if (unknown !== undefined) throw new AwsError('InvalidParameterValue', `Invalid security group , groupId= ${unknown}, groupName=.`);
  return groups;
}
