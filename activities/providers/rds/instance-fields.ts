import type { DBInstance } from '@aws-sdk/client-rds';
import type { Settings } from '../backup-facts.ts';
import type { Difference } from '../answers.ts';

type Field = keyof DBInstance;

/**
 * `carried`: a restored instance gets it by the settings of these names (`settings.ts`). `listed`: people are shown the source's value
 * and the copy's before they agree to a switchover, as it does not come along by itself. `left`: why there is nothing to carry.
 */
type Decision = { readonly carried: readonly string[] } | 'listed' | { readonly left: string };

const carried = (...names: string[]): Decision => ({ carried: names });
const left = (why: string): Decision => ({ left: why });
const identity = left('it is what makes it another instance');
const state = left('it passes');
const endpoint = left('it belongs to the name, and the run exchanges the names');

/** Every field that DescribeDBInstances returns. The type has no room for a missing one: a new field of the SDK needs a decision. */
export const instanceFields: Readonly<Record<Field, Decision>> = {
  DBInstanceIdentifier: left('the run exchanges the names'),
  DBInstanceClass: carried('DBInstanceClass'),
  Engine: left('no restore changes it'),
  DBInstanceStatus: state,
  MasterUsername: left('it is in the data'),
  DBName: left('it is in the data'),
  Endpoint: endpoint,
  AllocatedStorage: carried('AllocatedStorage'),
  InstanceCreateTime: identity,
  PreferredBackupWindow: carried('PreferredBackupWindow'),
  BackupRetentionPeriod: carried('BackupRetentionPeriod'),
  DBSecurityGroups: 'listed',
  VpcSecurityGroups: carried('VpcSecurityGroupIds'),
  DBParameterGroups: carried('DBParameterGroupName'),
  AvailabilityZone: 'listed',
  DBSubnetGroup: carried('DBSubnetGroupName'),
  PreferredMaintenanceWindow: carried('PreferredMaintenanceWindow'),
  UpgradeRolloutOrder: 'listed',
  PendingModifiedValues: 'listed',
  LatestRestorableTime: state,
  MultiAZ: carried('MultiAZ'),
  EngineVersion: 'listed',
  AutoMinorVersionUpgrade: carried('AutoMinorVersionUpgrade'),
  ReadReplicaSourceDBInstanceIdentifier: 'listed',
  ReadReplicaDBInstanceIdentifiers: left('the plan names them: they stay with the old instance'),
  ReadReplicaDBClusterIdentifiers: 'listed',
  ReplicaMode: 'listed',
  LicenseModel: 'listed',
  Iops: carried('Iops'),
  StorageThroughput: carried('StorageThroughput'),
  OptionGroupMemberships: carried('OptionGroupName'),
  CharacterSetName: 'listed',
  NcharCharacterSetName: 'listed',
  SecondaryAvailabilityZone: left('RDS chooses it, for MultiAZ'),
  PubliclyAccessible: carried('PubliclyAccessible'),
  StatusInfos: state,
  StorageType: carried('StorageType'),
  StorageEncryptionType: 'listed',
  TdeCredentialArn: 'listed',
  DbInstancePort: endpoint,
  DBClusterIdentifier: 'listed',
  StorageEncrypted: 'listed',
  KmsKeyId: 'listed',
  DbiResourceId: identity,
  CACertificateIdentifier: carried('CACertificateIdentifier'),
  DomainMemberships: 'listed',
  CopyTagsToSnapshot: carried('CopyTagsToSnapshot'),
  MonitoringInterval: carried('MonitoringInterval'),
  EnhancedMonitoringResourceArn: identity,
  MonitoringRoleArn: carried('MonitoringRoleArn'),
  PromotionTier: 'listed',
  DBInstanceArn: identity,
  Timezone: 'listed',
  IAMDatabaseAuthenticationEnabled: carried('EnableIAMDatabaseAuthentication'),
  DatabaseInsightsMode: carried('DatabaseInsightsMode'),
  PerformanceInsightsEnabled: carried('EnablePerformanceInsights'),
  PerformanceInsightsKMSKeyId: carried('PerformanceInsightsKMSKeyId'),
  PerformanceInsightsRetentionPeriod: carried('PerformanceInsightsRetentionPeriod'),
  EnabledCloudwatchLogsExports: carried('EnableCloudwatchLogsExports'),
  ProcessorFeatures: 'listed',
  DeletionProtection: carried('DeletionProtection'),
  AssociatedRoles: 'listed',
  ListenerEndpoint: endpoint,
  MaxAllocatedStorage: carried('MaxAllocatedStorage'),
  TagList: carried('Tags'),
  AutomationMode: 'listed',
  ResumeFullAutomationModeTime: state,
  CustomerOwnedIpEnabled: 'listed',
  NetworkType: carried('NetworkType'),
  ActivityStreamStatus: 'listed',
  ActivityStreamKmsKeyId: 'listed',
  ActivityStreamKinesisStreamName: 'listed',
  ActivityStreamMode: 'listed',
  ActivityStreamEngineNativeAuditFieldsIncluded: 'listed',
  AwsBackupRecoveryPointArn: 'listed',
  DBInstanceAutomatedBackupsReplications: 'listed',
  BackupTarget: 'listed',
  AutomaticRestartTime: state,
  CustomIamInstanceProfile: 'listed',
  ActivityStreamPolicyStatus: 'listed',
  // Its authority is not CACertificateIdentifier while a rotation waits for the restart, and the copy has the new one at once.
  CertificateDetails: 'listed',
  DBSystemId: 'listed',
  MasterUserSecret: 'listed',
  ReadReplicaSourceDBClusterIdentifier: 'listed',
  PercentProgress: state,
  MultiTenant: 'listed',
  DedicatedLogVolume: carried('DedicatedLogVolume'),
  IsStorageConfigUpgradeAvailable: state,
  EngineLifecycleSupport: carried('EngineLifecycleSupport'),
  AdditionalStorageVolumes: 'listed',
  StorageVolumeStatus: state,
  StorageOperationStatus: state,
  StorageOperationPercentProgress: state,
  DBCapacityReservationIdentifier: 'listed',
};

/**
 * What of the source its copy has not, field by field, and no setting brings. A change that waits for the source's window counts as
 * lost whatever waits on the copy: those are the run's own settings.
 */
export function notCarried(source: DBInstance, copy: DBInstance): Difference[] {
  return listed.flatMap((setting) => {
    const [planned, found] = [valueOf(source[setting]), setting === 'PendingModifiedValues' ? null : valueOf(copy[setting])];
    return JSON.stringify(planned) === JSON.stringify(found) ? [] : [{ setting, planned, found }];
  });
}

// The keys of a Record<Field, …> are fields.
const listed = (Object.keys(instanceFields) as Field[]).filter((field) => instanceFields[field] === 'listed');

/**
 * What is off, empty or absent is null: AWS leaves out one or the other.
 * A `Status` passes, and RDS renews a certificate before `ValidTill`.
 */
function valueOf(value: DBInstance[Field]): Settings[string] {
  if (value === undefined || value === false || value === '' || value === 0) return null;
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(textOf).toSorted();
  if (typeof value === 'object') return textOf(value) === '{}' ? null : textOf(value);
  return value;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (key, part: unknown) => {
    if (key === 'Status' || key === 'ValidTill' || part === '') return undefined;
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => one.localeCompare(other)));
  });
}
