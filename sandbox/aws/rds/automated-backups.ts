import { AwsError } from '../aws-error.ts';
import type { Call } from '../place.ts';
import { list, type Xml } from '../xml.ts';
import { backupsOf } from './backups.ts';
import { dropBackups } from './back-up.ts';
import type { Instance } from './model.ts';
import { arn, instanceOf } from './names.ts';
import { pageOf } from './pages.ts';

/** Of living instances with a retention, and of deleted ones whose backups were kept. */
export function describeDBInstanceAutomatedBackups(call: Call): Xml {
  const { rds, query } = call;
  const [id, resourceId] = [query.text('DBInstanceIdentifier')?.toLowerCase(), query.text('DbiResourceId')];
  const active = Object.values(rds.instances).filter(({ retention }) => retention > 0);
  const all = [
    ...active.map((instance) => ({ instance, status: 'active' })),
    ...Object.values(rds.retained).map(({ instance }) => ({ instance, status: 'retained' })),
  ];
  const found = all.filter(
    ({ instance }) => (id === undefined || instance.id === id) && (resourceId === undefined || instance.resourceId === resourceId),
  );
  if (id !== undefined && found.length === 0) instanceOf(rds, id);
  const { items, marker } = pageOf(query, found);
  return {
    Marker: marker,
    DBInstanceAutomatedBackups: list(
      'DBInstanceAutomatedBackup',
      items.map(({ instance, status }) => xml(call, instance, status)),
    ),
  };
}

/** Only of an instance that is gone. */
export function deleteDBInstanceAutomatedBackup(call: Call): Xml {
  const { rds, query, place, region } = call;
  const resourceId = query.text('DbiResourceId') ?? query.text('DBInstanceAutomatedBackupsArn')?.split(':').at(-1) ?? '';
  const kept = rds.retained[resourceId];
  if (!kept) throw new AwsError('DBInstanceAutomatedBackupNotFound', `DBInstanceAutomatedBackup not found: ${resourceId}`, 404);
  dropBackups(place, region, resourceId);
  delete rds.retained[resourceId];
  place.effect(query.action, region, resourceId);
  return { DBInstanceAutomatedBackup: xml(call, kept.instance, 'deleting') };
}

function xml({ place, region, rds }: Call, instance: Instance, status: string): Xml {
  const [first] = backupsOf(rds, instance.resourceId);
  const { latestRestorable } = instance;
  return {
    DBInstanceArn: arn(place, region, 'db', instance.id),
    DbiResourceId: instance.resourceId,
    Region: region,
    DBInstanceIdentifier: instance.id,
    RestoreWindow: {
      EarliestTime: first?.restorableFrom,
      LatestTime: latestRestorable === undefined ? undefined : new Date(latestRestorable),
    },
    AllocatedStorage: instance.storage,
    Status: status,
    Port: instance.port,
    AvailabilityZone: instance.zone,
    VpcId: 'vpc-0',
    InstanceCreateTime: new Date(instance.createdAt),
    MasterUsername: instance.master,
    Engine: 'postgres',
    EngineVersion: instance.engineVersion,
    LicenseModel: 'postgresql-license',
    OptionGroupName: instance.optionGroup,
    Encrypted: instance.keyArn !== undefined,
    StorageType: instance.storageType,
    KmsKeyId: instance.keyArn,
    IAMDatabaseAuthenticationEnabled: instance.iamAuthentication,
    BackupRetentionPeriod: instance.retention,
    DBInstanceAutomatedBackupsArn: arn(place, region, 'auto-backup', instance.resourceId),
    BackupTarget: 'region',
  };
}
