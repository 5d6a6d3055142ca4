import { AwsError } from '../aws-error.ts';
import { checkKey } from '../kms.ts';
import type { Call } from '../place.ts';
import type { Query } from '../query.ts';
import type { Xml } from '../xml.ts';
import { backupsOf } from './backups.ts';
import { instanceXml } from './describe-instances.ts';
import type { Instance, Snapshot } from './model.ts';
import { instanceOf, parseArn, snapshotOf } from './names.ts';
import { addInstance, portFor, type Origin } from './new-instance.ts';
import { retentionOf, storageTypeOf } from './create-instance.ts';

export async function restoreDBInstanceFromDBSnapshot(call: Call): Promise<Xml> {
  const { query, place, rds, region } = call;
  const port = await portFor(call, query.required('DBInstanceIdentifier'));
  const snapshot = snapshotOf(rds, parseArn(call, 'snapshot', query.required('DBSnapshotIdentifier')).name);
  if (snapshot.status !== 'available')
    throw new AwsError('InvalidDBSnapshotState', `Cannot restore from DBSnapshot ${snapshot.id} in state ${snapshot.status}.`);
  checkKey(place, region, snapshot.keyArn);
  const instance = addInstance(call, 'DBInstanceIdentifier', port, restored(query, snapshot));
  place.jobs.begin('restore-from-snapshot', region, instance.resourceId, { snapshot: snapshot.key });
  return { DBInstance: instanceXml(place, instance) };
}

export async function restoreDBInstanceToPointInTime(call: Call): Promise<Xml> {
  const { query, place, region } = call;
  const port = await portFor(call, query.required('TargetDBInstanceIdentifier'));
  const source = sourceOf(call);
  if (source.retention === 0)
    throw new AwsError(
      'PointInTimeRestoreNotEnabled',
      `Backup Retention Period is zero for DB instance ${source.id}; point in time restore is not enabled.`,
    );
  const [target, base] = targetOf(call, source);
  checkKey(place, region, source.keyArn);
  const instance = addInstance(call, 'TargetDBInstanceIdentifier', port, restored(query, source));
  const input = { snapshot: base.key, archive: source.resourceId, target: target.toISOString() };
  place.jobs.begin('restore-to-point-in-time', region, instance.resourceId, input);
  return { DBInstance: instanceXml(place, instance) };
}

function restored(query: Query, from: Instance | Snapshot): Origin {
  const { engineVersion, master, dbName, keyArn } = from;
  return {
    engineVersion,
    master,
    dbName,
    keyArn,
    storage: Math.max(from.storage, query.whole('AllocatedStorage') ?? 0),
    storageType: storageTypeOf(query) ?? from.storageType,
    iops: query.whole('Iops') ?? from.iops,
    retention: retentionOf(query) ?? from.retention,
    instanceClass: query.text('DBInstanceClass') ?? from.instanceClass,
    iamAuthentication: query.flag('EnableIAMDatabaseAuthentication') ?? from.iamAuthentication,
  };
}

/** The living instance, or one that was deleted with its backups kept. */
function sourceOf(call: Call): Instance {
  const { query, rds } = call;
  const id = query.text('SourceDBInstanceIdentifier');
  if (id !== undefined) return instanceOf(rds, parseArn(call, 'db', id).name);
  const backup = query.text('SourceDBInstanceAutomatedBackupsArn');
  const resourceId = query.text('SourceDbiResourceId') ?? backup?.split(':').at(-1);
  if (resourceId === undefined)
    throw new AwsError(
      'InvalidParameterCombination',
      'One of SourceDBInstanceIdentifier, SourceDbiResourceId, SourceDBInstanceAutomatedBackupsArn must be given.',
    );
  const found = Object.values(rds.instances).find((one) => one.resourceId === resourceId) ?? rds.retained[resourceId]?.instance;
  if (!found) throw new AwsError('DBInstanceAutomatedBackupNotFound', `DBInstanceAutomatedBackup not found: ${resourceId}`, 404);
  return found;
}

/** The moment, and the newest backup that ended before it. */
function targetOf({ query, rds }: Call, source: Instance): [Date, Snapshot] {
  const asked = query.time('RestoreTime');
  const latest = query.flag('UseLatestRestorableTime') === true;
  if ((asked !== undefined) === latest)
    throw new AwsError('InvalidParameterCombination', 'Exactly one of RestoreTime and UseLatestRestorableTime must be specified.');
  const backups = backupsOf(rds, source.resourceId);
  if (source.latestRestorable === undefined || backups.length === 0)
    throw new AwsError('InvalidRestoreFault', `DB instance ${source.id} has no restorable time yet.`);
  const target = latest ? new Date(source.latestRestorable) : new Date(Math.floor((asked?.getTime() ?? 0) / 1_000) * 1_000);
  if (target > new Date(source.latestRestorable))
    throw new AwsError(
      'InvalidParameterValue',
      `The specified RestoreTime ${target.toISOString()} is after the latest restorable time ${source.latestRestorable}.`,
    );
  const base = backups.findLast(({ restorableFrom }) => restorableFrom <= target);
  if (!base)
    throw new AwsError(
      'InvalidParameterValue',
      `The specified RestoreTime ${target.toISOString()} is before the earliest restorable time.`,
    );
  return [target, base.snapshot];
}
