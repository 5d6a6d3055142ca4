import type { Call, Place } from '../place.ts';
import { list, type Xml } from '../xml.ts';
import type { Instance } from './model.ts';
import { arn, instanceOf, parseArn } from './names.ts';
import { passes, pageOf } from './pages.ts';
import { parameterStatus } from './parameter-status.ts';
import { subnetGroupXml } from './subnet-groups.ts';
import { tagList } from './tags.ts';

export function describeDBInstances(call: Call): Xml {
  const { rds, query, place } = call;
  const id = query.text('DBInstanceIdentifier');
  const named = id === undefined ? Object.values(rds.instances) : [instanceOf(rds, parseArn(call, 'db', id).name)];
  const found = named.filter((one) =>
    passes(query, {
      'db-instance-id': [one.id, arn(place, one.region, 'db', one.id)],
      'dbi-resource-id': [one.resourceId],
      engine: ['postgres'],
    }),
  );
  const { items, marker } = pageOf(query, found);
  return {
    Marker: marker,
    DBInstances: list(
      'DBInstance',
      items.map((one) => instanceXml(place, one)),
    ),
  };
}

/** All that AWS tells of an instance and that makes sense here. */
export function instanceXml(place: Place, one: Instance): Xml {
  return {
    DBInstanceIdentifier: one.id,
    DBInstanceClass: one.instanceClass,
    Engine: 'postgres',
    DBInstanceStatus: one.status,
    MasterUsername: one.master,
    DBName: one.dbName,
    Endpoint: one.reachable ? { Address: '127.0.0.1', Port: one.port, HostedZoneId: 'Z1RLNUO7B9Q6NB' } : undefined,
    AllocatedStorage: one.storage,
    InstanceCreateTime: one.reachable ? new Date(one.createdAt) : undefined,
    PreferredBackupWindow: one.backupWindow,
    BackupRetentionPeriod: one.retention,
    DBSecurityGroups: list('DBSecurityGroup', []),
    VpcSecurityGroups: list(
      'VpcSecurityGroupMembership',
      one.securityGroups.map((group) => ({ VpcSecurityGroupId: group, Status: 'active' })),
    ),
    DBParameterGroups: list('DBParameterGroup', [
      { DBParameterGroupName: one.parameterGroup, ParameterApplyStatus: parameterStatus(place, one) },
    ]),
    AvailabilityZone: one.zone,
    DBSubnetGroup: subnetGroup(place, one),
    PreferredMaintenanceWindow: one.maintenanceWindow,
    PendingModifiedValues: pendingXml(place, one),
    LatestRestorableTime: one.retention > 0 && one.latestRestorable ? new Date(one.latestRestorable) : undefined,
    MultiAZ: one.multiAz,
    EngineVersion: one.engineVersion,
    AutoMinorVersionUpgrade: one.autoMinorVersionUpgrade,
    ReadReplicaDBInstanceIdentifiers: list('ReadReplicaDBInstanceIdentifier', []),
    LicenseModel: 'postgresql-license',
    Iops: one.iops,
    OptionGroupMemberships: list('OptionGroupMembership', [{ OptionGroupName: one.optionGroup, Status: 'in-sync' }]),
    SecondaryAvailabilityZone: one.secondaryZone,
    PubliclyAccessible: one.publiclyAccessible,
    StatusInfos: list('DBInstanceStatusInfo', []),
    StorageType: one.storageType,
    DbInstancePort: 0,
    StorageEncrypted: one.keyArn !== undefined,
    KmsKeyId: one.keyArn,
    DbiResourceId: one.resourceId,
    CACertificateIdentifier: one.caCertificate,
    CopyTagsToSnapshot: one.copyTagsToSnapshot,
    MonitoringInterval: one.monitoringInterval,
    MonitoringRoleArn: one.monitoringRole,
    DBInstanceArn: arn(place, one.region, 'db', one.id),
    IAMDatabaseAuthenticationEnabled: one.iamAuthentication,
    DatabaseInsightsMode: one.insightsMode,
    PerformanceInsightsEnabled: one.performanceInsights,
    PerformanceInsightsKMSKeyId: one.insightsKey,
    PerformanceInsightsRetentionPeriod: one.performanceInsights ? one.insightsRetention : undefined,
    EnabledCloudwatchLogsExports: one.logExports.length > 0 ? list('member', one.logExports) : undefined,
    DeletionProtection: one.deletionProtection,
    AssociatedRoles: list(
      'DBInstanceRole',
      one.roles.map(({ arn: RoleArn, feature: FeatureName }) => ({ RoleArn, FeatureName, Status: 'ACTIVE' })),
    ),
    MaxAllocatedStorage: one.maxStorage,
    TagList: tagList(one.tags),
    CustomerOwnedIpEnabled: false,
    BackupTarget: 'region',
    NetworkType: one.networkType,
    StorageThroughput: 0,
    DedicatedLogVolume: one.dedicatedLogVolume,
    CertificateDetails: one.served && { CAIdentifier: one.served.authority, ValidTill: new Date(one.served.validTill) },
    EngineLifecycleSupport: one.lifeCycleSupport,
  };
}

function pendingXml({ state }: Place, { pending, resourceId }: Instance): Xml {
  return {
    MasterUserPassword: state.jobs.some(({ kind, resource }) => kind === 'password' && resource === resourceId) ? '****' : undefined,
    DBInstanceClass: pending.instanceClass,
    AllocatedStorage: pending.storage,
    MultiAZ: pending.multiAz,
    EngineVersion: pending.engineVersion,
    Iops: pending.iops,
    DBInstanceIdentifier: pending.id,
    StorageType: pending.storageType,
    CACertificateIdentifier: pending.caCertificate,
  };
}

function subnetGroup(place: Place, { region, subnetGroup: name }: Instance): Xml {
  const group = place.state.rds[region]?.subnetGroups[name];
  return group && subnetGroupXml(place, region, group);
}
