import { AwsError } from '../aws-error.ts';
import { freePorts } from '../../free-ports.ts';
import { rdsAlias, usableKey } from '../kms.ts';
import type { Call } from '../place.ts';
import { identifier } from '../state.ts';
import { defaultAuthority } from './authorities.ts';
import type { Instance } from './model.ts';
import { checkMemberships } from './memberships.ts';
import { isTaken, newIdentifier } from './names.ts';
import { certificate, lifeCycleSupport, maxStorage, networkType, unwatched, watching } from './options.ts';
import { roomForInstance } from './quotas.ts';
import { valuesOf } from './parameter-status.ts';
import { tagsOf } from './tags.ts';

/** What a new instance takes from where it comes from; everything else is the request's or AWS's default. */
export type Origin = Pick<
  Instance,
  | 'engineVersion'
  | 'storage'
  | 'storageType'
  | 'iops'
  | 'master'
  | 'dbName'
  | 'keyArn'
  | 'retention'
  | 'instanceClass'
  | 'iamAuthentication'
>;

/** The port of that name's endpoint. It is asked for first: after it nothing waits, so of two calls with one name one is refused. */
export async function portFor({ rds }: Call, id: string): Promise<number> {
  const name = id.toLowerCase();
  const [port = 0] = await freePorts(1);
  return (rds.ports[name] ??= port);
}

/**
 * Adds an instance in the state `creating`. Parameter group, security groups, Multi-AZ, deletion protection, option group and tags
 * are never the origin's. Throws what AWS refuses: a name that is taken, an unknown group, a quota.
 */
export function addInstance(call: Call, name: string, port: number, origin: Origin): Instance {
  const { rds, region, query, place } = call;
  const id = newIdentifier(name, query.required(name));
  if (isTaken(rds, id)) throw new AwsError('DBInstanceAlreadyExists', 'DB instance already exists');
  const groups = checkMemberships(call, origin.engineVersion);
  roomForInstance(call, origin.storage);
  const multiAz = query.flag('MultiAZ') ?? false;
  const zone = query.text('AvailabilityZone');
  if (multiAz && zone !== undefined)
    throw new AwsError('InvalidParameterCombination', 'Requesting a specific availability zone is not valid for Multi-AZ instances.');
  const instance: Instance = {
    ...origin,
    ...groups,
    id,
    resourceId: `db-${identifier(26)}`,
    region,
    createdAt: new Date().toISOString(),
    status: 'creating',
    reachable: false,
    multiAz,
    zone: zone ?? `${region}a`,
    secondaryZone: multiAz ? `${region}b` : undefined,
    backupWindow: query.text('PreferredBackupWindow') ?? '03:00-03:30',
    maintenanceWindow: query.text('PreferredMaintenanceWindow') ?? 'sun:04:00-sun:04:30',
    deletionProtection: query.flag('DeletionProtection') ?? false,
    copyTagsToSnapshot: query.flag('CopyTagsToSnapshot') ?? false,
    autoMinorVersionUpgrade: query.flag('AutoMinorVersionUpgrade') ?? true,
    publiclyAccessible: query.flag('PubliclyAccessible') ?? false,
    ...watching(query, unwatched, usableKey(place, region, rdsAlias)),
    // Whatever the origin has: a restore that does not name it gets the account's default.
    caCertificate: certificate(query) ?? defaultAuthority,
    served: undefined,
    networkType: networkType(query) ?? 'IPV4',
    lifeCycleSupport: lifeCycleSupport(query) ?? 'open-source-rds-extended-support',
    maxStorage: maxStorage(query, origin.storage),
    dedicatedLogVolume: query.flag('DedicatedLogVolume') ?? false,
    roles: [],
    logExports: query.texts('EnableCloudwatchLogsExports') ?? [],
    applied: valuesOf(rds.parameterGroups[groups.parameterGroup]),
    tags: tagsOf(query),
    pending: {},
    pendingSince: undefined,
    port,
    writer: 'a',
    latestRestorable: undefined,
  };
  rds.instances[id] = instance;
  place.effect(query.action, region, id);
  return instance;
}
