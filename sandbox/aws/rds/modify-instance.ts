import { AwsError } from '../aws-error.ts';
import { rdsAlias, usableKey } from '../kms.ts';
import type { Call } from '../place.ts';
import { engineVersion } from '../versions.ts';
import type { Xml } from '../xml.ts';
import { retentionOf, storageTypeOf } from './create-instance.ts';
import { instanceXml } from './describe-instances.ts';
import { optionGroup, parameterGroup, securityGroups } from './memberships.ts';
import type { Instance, PendingValues } from './model.ts';
import { instanceOf, isTaken, mustBe, newIdentifier } from './names.ts';
import { certificate, lifeCycleSupport, maxStorage, networkType, watching } from './options.ts';
import { portFor } from './new-instance.ts';

/**
 * What differs from now takes effect at once where AWS does so, else at once with `ApplyImmediately`, else in the maintenance
 * window. What asks for nothing new changes nothing and is no effect.
 */
export async function modifyDBInstance(call: Call): Promise<Xml> {
  const { query, rds, place, region } = call;
  const renamed = query.text('NewDBInstanceIdentifier');
  if (renamed !== undefined) await portFor(call, newIdentifier('NewDBInstanceIdentifier', renamed));
  const instance = instanceOf(rds, query.required('DBInstanceIdentifier'));
  mustBe(instance, 'available', 'storage-optimization', 'incompatible-parameters');
  const [later, now] = [waiting(call, instance), atOnce(call, instance)];
  const asked = retentionOf(query);
  const retention = asked === instance.retention ? undefined : asked;
  const password = query.text('MasterUserPassword');
  const isNew = differs({ ...instance, ...instance.pending }, later) || differs(instance, now);
  if (isNew || retention !== undefined || password !== undefined) place.effect('ModifyDBInstance', region, instance.id);
  Object.assign(instance, now);
  if (differs(instance, later)) {
    instance.pending = { ...instance.pending, ...later };
    instance.pendingSince = new Date().toISOString();
  }
  const apply = query.flag('ApplyImmediately') === true && Object.keys(instance.pending).length > 0;
  if (password !== undefined) place.jobs.begin('password', region, instance.resourceId, { password });
  if (apply || retention !== undefined)
    place.jobs.begin('modify', region, instance.resourceId, {
      apply,
      retention,
      startsBackups: instance.retention === 0 && retention !== undefined,
    });
  return { DBInstance: instanceXml(place, instance) };
}

function differs(instance: object, wanted: Partial<Instance>): boolean {
  return Object.entries(wanted).some(
    ([name, value]) => JSON.stringify(Object.entries(instance).find(([own]) => own === name)?.[1]) !== JSON.stringify(value),
  );
}

/** What is given, without the rest. */
function given<Values extends object>(values: Values): Partial<Values> {
  // Only fields that were there are left.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Values>;
}

/** What may wait for the maintenance window. */
function waiting(call: Call, instance: Instance): PendingValues {
  const { query, place } = call;
  const version = query.text('EngineVersion');
  const wanted = {
    instanceClass: query.text('DBInstanceClass'),
    storage: storage(call, instance),
    storageType: storageTypeOf(query),
    iops: query.whole('Iops'),
    engineVersion: version === undefined ? undefined : engineVersion(place.engines, version).version,
    multiAz: query.flag('MultiAZ'),
    id: newName(call, instance),
    caCertificate: certificate(query),
  };
  if (wanted.engineVersion !== undefined && Number.parseInt(wanted.engineVersion, 10) !== Number.parseInt(instance.engineVersion, 10))
    throw new AwsError('InvalidParameterCombination', `Cannot upgrade postgres from ${instance.engineVersion} to ${wanted.engineVersion}`);
  const changes = Object.entries(given(wanted)).filter(
    ([name, value]) => value !== Object.entries(instance).find(([own]) => own === name)?.[1],
  );
  const rotates = changes.some(([name]) => name === 'caCertificate');
  return { ...Object.fromEntries(changes), ...(rotates ? { withoutRestart: query.flag('CertificateRotationRestart') === false } : {}) };
}

function storage({ query }: Call, instance: Instance): number | undefined {
  const wanted = query.whole('AllocatedStorage');
  if (instance.iops !== undefined && (wanted === undefined) !== (query.whole('Iops') === undefined))
    throw new AwsError(
      'InvalidParameterCombination',
      'You must specify both the storage size and iops when modifying the storage size or iops on a DB instance that has iops',
    );
  if (wanted === undefined || wanted === instance.storage) return undefined;
  if (instance.status === 'storage-optimization')
    throw new AwsError('InvalidParameterCombination', "You can't modify storage while storage optimization is in progress.");
  if (wanted < instance.storage * 1.1)
    throw new AwsError(
      'InvalidParameterCombination',
      `Invalid storage size: ${wanted}; it must be at least 10 % more than ${instance.storage}, and can't shrink.`,
    );
  return wanted;
}

function newName({ query, rds }: Call, instance: Instance): string | undefined {
  const name = query.text('NewDBInstanceIdentifier')?.toLowerCase();
  if (name === undefined || name === instance.id) return undefined;
  if (name !== instance.pending.id && isTaken(rds, name)) throw new AwsError('DBInstanceAlreadyExists', 'DB instance already exists');
  return name;
}

/** What takes effect whatever is said about when. A new parameter group waits for a reboot all the same. */
function atOnce(call: Call, instance: Instance): Partial<Instance> {
  const { query, place, region } = call;
  return given({
    backupWindow: query.text('PreferredBackupWindow'),
    maintenanceWindow: query.text('PreferredMaintenanceWindow'),
    deletionProtection: query.flag('DeletionProtection'),
    copyTagsToSnapshot: query.flag('CopyTagsToSnapshot'),
    autoMinorVersionUpgrade: query.flag('AutoMinorVersionUpgrade'),
    publiclyAccessible: query.flag('PubliclyAccessible'),
    iamAuthentication: query.flag('EnableIAMDatabaseAuthentication'),
    ...watching(query, instance, usableKey(place, region, rdsAlias)),
    networkType: networkType(query),
    lifeCycleSupport: lifeCycleSupport(query),
    maxStorage: maxStorage(query, instance.storage),
    dedicatedLogVolume: query.flag('DedicatedLogVolume'),
    securityGroups: securityGroups(call),
    parameterGroup: parameterGroup(call, instance.engineVersion),
    optionGroup: optionGroup(call, instance.engineVersion),
  });
}
