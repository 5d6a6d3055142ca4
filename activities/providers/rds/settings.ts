import type { DBInstance, ModifyDBInstanceMessage, RestoreDBInstanceToPointInTimeMessage } from '@aws-sdk/client-rds';
import type { Difference } from '../provider.ts';
import type { Settings } from '../backup-facts.ts';
import { isOwnTag, tagsOf } from './own.ts';

type Value = Settings[string];
type RestoreInput = Partial<RestoreDBInstanceToPointInTimeMessage>;

interface Setting {
  /** As the instance has it; null when it has none, or the provider's default, which it may change. */
  readonly read: (instance: DBInstance) => Value;
  /** A restore can set it. */
  readonly restored?: true;
  /** It can be changed on an instance that is there. */
  readonly modified?: true;
  /** As ModifyDBInstance tells that it is still to come. */
  readonly pending?: (instance: DBInstance) => Value | undefined;
}

const both = { restored: true, modified: true } as const;
const later = { modified: true } as const;

/** With gp3 below 400 GiB AWS gives 3,000 and 125, and takes no other; with io1 and io2 it must be told, however few there are. */
const bought = (value: number | undefined, free: number): Value => (value === undefined || value <= free ? null : value);

/**
 * Every setting that a restored instance doesn't get by itself, by the name that calls give it. Which field of an instance has one,
 * and what becomes of the others, `instance-fields.ts` says.
 */
const settings: Readonly<Record<string, Setting>> = {
  DBInstanceClass: { ...both, read: (one) => one.DBInstanceClass ?? null, pending: (one) => one.PendingModifiedValues?.DBInstanceClass },
  DBSubnetGroupName: { restored: true, read: (one) => one.DBSubnetGroup?.DBSubnetGroupName ?? null },
  VpcSecurityGroupIds: {
    ...both,
    read: (one) => list(one.VpcSecurityGroups?.map((group) => group.VpcSecurityGroupId)),
  },
  DBParameterGroupName: { ...both, read: (one) => one.DBParameterGroups?.[0]?.DBParameterGroupName ?? null },
  OptionGroupName: { ...both, read: (one) => own(one.OptionGroupMemberships?.[0]?.OptionGroupName) },
  MultiAZ: { ...both, read: (one) => one.MultiAZ ?? false, pending: (one) => one.PendingModifiedValues?.MultiAZ },
  PubliclyAccessible: { ...both, read: (one) => one.PubliclyAccessible ?? false },
  AllocatedStorage: { restored: true, read: (one) => one.AllocatedStorage ?? null },
  // As restored they stay: RDS refuses a change of them that does not name the allocated storage, too.
  StorageType: { restored: true, read: (one) => one.StorageType ?? null },
  Iops: { restored: true, read: (one) => bought(one.Iops, one.StorageType === 'gp3' ? 3_000 : 0) },
  // RDS takes it with gp3 alone.
  StorageThroughput: { restored: true, read: (one) => (one.StorageType === 'gp3' ? bought(one.StorageThroughput, 125) : null) },
  DedicatedLogVolume: {
    ...both,
    read: (one) => one.DedicatedLogVolume ?? false,
    pending: (one) => one.PendingModifiedValues?.DedicatedLogVolume,
  },
  // Else it is the account's default, and clients that verify the server against the one that they have can't connect.
  CACertificateIdentifier: {
    ...both,
    read: (one) => one.CACertificateIdentifier ?? null,
    pending: (one) => one.PendingModifiedValues?.CACertificateIdentifier,
  },
  NetworkType: { ...both, read: (one) => one.NetworkType ?? null },
  EngineLifecycleSupport: { ...both, read: (one) => one.EngineLifecycleSupport ?? null },
  AutoMinorVersionUpgrade: { ...both, read: (one) => one.AutoMinorVersionUpgrade ?? false },
  CopyTagsToSnapshot: { ...both, read: (one) => one.CopyTagsToSnapshot ?? false },
  DeletionProtection: { ...both, read: (one) => one.DeletionProtection ?? false },
  EnableIAMDatabaseAuthentication: { ...both, read: (one) => one.IAMDatabaseAuthenticationEnabled ?? false },
  EnableCloudwatchLogsExports: { restored: true, read: (one) => list(one.EnabledCloudwatchLogsExports) },
  BackupRetentionPeriod: {
    ...later,
    read: (one) => one.BackupRetentionPeriod ?? 0,
    pending: (one) => one.PendingModifiedValues?.BackupRetentionPeriod,
  },
  PreferredBackupWindow: { ...later, read: (one) => one.PreferredBackupWindow ?? null },
  PreferredMaintenanceWindow: { ...later, read: (one) => one.PreferredMaintenanceWindow ?? null },
  MaxAllocatedStorage: { ...later, read: (one) => one.MaxAllocatedStorage ?? null },
  MonitoringInterval: { ...later, read: (one) => one.MonitoringInterval ?? 0 },
  MonitoringRoleArn: { ...later, read: (one) => one.MonitoringRoleArn ?? null },
  EnablePerformanceInsights: { ...later, read: (one) => one.PerformanceInsightsEnabled ?? false },
  // The key can only be named when the insights are switched on: with this same call.
  PerformanceInsightsKMSKeyId: {
    ...later,
    read: (one) => (one.PerformanceInsightsEnabled ? (one.PerformanceInsightsKMSKeyId ?? null) : null),
  },
  DatabaseInsightsMode: { ...later, read: (one) => one.DatabaseInsightsMode ?? null },
  PerformanceInsightsRetentionPeriod: {
    ...later,
    read: (one) => (one.PerformanceInsightsEnabled ? (one.PerformanceInsightsRetentionPeriod ?? null) : null),
  },
  /** `name=value`, sorted; without AWS's own and those of runs. */
  Tags: { restored: true, read: (one) => list(Object.entries(tagsOf(one.TagList)).flatMap(tagText)) },
};

function list(values: readonly (string | undefined)[] | undefined): Value {
  const sorted = (values ?? []).filter((one) => one !== undefined).toSorted();
  return sorted.length === 0 ? null : sorted;
}

/** Groups called `default…` are AWS's, and another region or version has others. */
const own = (called: string | undefined): Value => (called === undefined || called.startsWith('default') ? null : called);

const tagText = ([name, value]: [string, string]): string[] => (name.startsWith('aws:') || isOwnTag(name) ? [] : [`${name}=${value}`]);

export function readSettings(instance: DBInstance): Settings {
  return Object.fromEntries(Object.entries(settings).map(([name, { read }]) => [name, read(instance)]));
}

/** As a restore is told them. */
export function restoreInput(planned: Settings): RestoreInput {
  const { Tags, ...rest } = chosen(planned, 'restored');
  return { ...rest, ...(Array.isArray(Tags) ? { Tags: Tags.map(tagOf) } : {}) };
}

/** As ModifyDBInstance is told them. */
export function modifyInput(planned: Settings): Partial<ModifyDBInstanceMessage> {
  return chosen(planned, 'modified');
}

function chosen(planned: Settings, way: 'restored' | 'modified'): Record<string, Value> {
  return Object.fromEntries(Object.entries(planned).filter(([name, value]) => settings[name]?.[way] === true && value !== null));
}

function tagOf(text: string): { Key: string; Value: string } {
  const at = text.indexOf('=');
  return { Key: text.slice(0, at), Value: text.slice(at + 1) };
}

/** What differs, all of it or of one way; a change that is still to come counts as made when `withPending`. */
export function differencesOf(planned: Settings, instance: DBInstance, { modifiable = false, withPending = false } = {}): Difference[] {
  return Object.entries(planned).flatMap(([name, value]) => {
    const setting = settings[name];
    if (!setting || value === null || (modifiable && !setting.modified)) return [];
    const found = (withPending ? setting.pending?.(instance) : undefined) ?? setting.read(instance);
    return same(value, found) ? [] : [{ setting: name, planned: value, found }];
  });
}

const same = (one: Value, other: Value): boolean => JSON.stringify(one) === JSON.stringify(other);
