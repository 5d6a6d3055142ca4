import { AwsError } from '../aws-error.ts';
import { rdsAlias, usableKey } from '../kms.ts';
import type { Call } from '../place.ts';
import type { Query } from '../query.ts';
import { engineVersion } from '../versions.ts';
import type { Xml } from '../xml.ts';
import { instanceXml } from './describe-instances.ts';
import { addInstance, portFor } from './new-instance.ts';

export async function createDBInstance(call: Call): Promise<Xml> {
  const { query, place, region } = call;
  const port = await portFor(call, query.required('DBInstanceIdentifier'));
  if (query.required('Engine') !== 'postgres')
    throw new AwsError('InvalidParameterValue', `Invalid DB engine: ${query.text('Engine')}; the stand-in has postgres only`);
  const instance = addInstance(call, 'DBInstanceIdentifier', port, {
    instanceClass: classOf(query),
    engineVersion: engineVersion(place.engines, query.text('EngineVersion')).version,
    storage: storageOf(query),
    storageType: storageTypeOf(query) ?? 'gp3',
    iops: query.whole('Iops'),
    master: query.required('MasterUsername'),
    dbName: query.text('DBName'),
    keyArn: encryptionKey(call),
    retention: retentionOf(query) ?? 1,
    iamAuthentication: query.flag('EnableIAMDatabaseAuthentication') ?? false,
  });
  const password = query.required('MasterUserPassword');
  place.jobs.begin('create', region, instance.resourceId, { password });
  return { DBInstance: instanceXml(place, instance) };
}

function classOf(query: Query): string {
  const name = query.required('DBInstanceClass');
  if (!/^db\.[a-z0-9-]+\.[a-z0-9]+$/.test(name)) throw new AwsError('InvalidParameterValue', `Invalid DB Instance class: ${name}`);
  return name;
}

function storageOf(query: Query): number {
  const storage = query.whole('AllocatedStorage') ?? Number(query.required('AllocatedStorage'));
  if (storage < 20 || storage > 65_536)
    throw new AwsError('InvalidParameterValue', 'Invalid storage size for engine name postgres and storage type gp3: must be 20 to 65536');
  return storage;
}

/** With io1 and io2 the IOPS must be told each time, also where they could be taken from somewhere. */
export function storageTypeOf(query: Query): string | undefined {
  const type = query.text('StorageType');
  if ((type === 'io1' || type === 'io2') && query.whole('Iops') === undefined)
    throw new AwsError('InvalidParameterCombination', `The storage type ${type} requires iops to be specified.`);
  return type;
}

function encryptionKey({ query, place, region }: Call): string | undefined {
  const name = query.text('KmsKeyId');
  if (query.flag('StorageEncrypted') !== true) {
    if (name === undefined) return undefined;
    throw new AwsError('InvalidParameterCombination', 'KmsKeyId may only be specified for encrypted storage');
  }
  return usableKey(place, region, name ?? rdsAlias);
}

/** Days, 0 for no automated backups. */
export function retentionOf(query: Query): number | undefined {
  const days = query.whole('BackupRetentionPeriod');
  if (days !== undefined && (days < 0 || days > 35))
    throw new AwsError('InvalidParameterValue', 'Invalid backup retention period. Must be between 0 and 35');
  return days;
}
