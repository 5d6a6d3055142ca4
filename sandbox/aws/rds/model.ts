/** What the stand-in keeps of RDS; all of it stands in its state file, so it is plain JSON, with times in ISO 8601. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface Instance {
  id: string;
  readonly resourceId: string;
  readonly region: string;
  readonly createdAt: string;
  status: string;
  /** Whether it got as far as having an address. */
  reachable: boolean;
  instanceClass: string;
  /** GiB. */
  storage: number;
  storageType: string;
  iops: number | undefined;
  engineVersion: string;
  readonly master: string;
  readonly dbName: string | undefined;
  multiAz: boolean;
  zone: string;
  secondaryZone: string | undefined;
  readonly keyArn: string | undefined;
  /** Days. */
  retention: number;
  backupWindow: string;
  maintenanceWindow: string;
  deletionProtection: boolean;
  copyTagsToSnapshot: boolean;
  autoMinorVersionUpgrade: boolean;
  publiclyAccessible: boolean;
  iamAuthentication: boolean;
  performanceInsights: boolean;
  insightsMode: string;
  insightsKey: string | undefined;
  /** Days. */
  insightsRetention: number;
  monitoringInterval: number;
  monitoringRole: string | undefined;
  networkType: string;
  lifeCycleSupport: string;
  /** GiB up to which the storage grows by itself. */
  maxStorage: number | undefined;
  dedicatedLogVolume: boolean;
  roles: AssociatedRole[];
  caCertificate: string;
  /** What its server presents since its last start. */
  served: ServedCertificate | undefined;
  logExports: string[];
  securityGroups: string[];
  readonly subnetGroup: string;
  optionGroup: string;
  parameterGroup: string;
  /** The parameters in effect; what the group has otherwise waits for a reboot. */
  applied: Record<string, string>;
  tags: Tag[];
  pending: PendingValues;
  /** When the last change was asked for that waits for the maintenance window. */
  pendingSince: string | undefined;
  port: number;
  /** The folder of the cluster that writes; with Multi-AZ the other one is the standby. */
  writer: 'a' | 'b';
  /** Up to where the archive reaches, see `heartbeat.ts`. */
  latestRestorable: string | undefined;
}

export interface ServedCertificate {
  readonly authority: string;
  readonly validTill: string;
}

export interface AssociatedRole {
  readonly arn: string;
  readonly feature: string;
}

/** What `ModifyDBInstance` may leave for the maintenance window. */
export interface PendingValues {
  instanceClass?: string;
  storage?: number;
  storageType?: string;
  iops?: number;
  engineVersion?: string;
  multiAz?: boolean;
  id?: string;
  caCertificate?: string;
  /** The new authority's certificate waits for a restart of another cause. */
  withoutRestart?: boolean;
}

export interface Snapshot {
  readonly id: string;
  /** Names its folder; two regions may have snapshots of one name. */
  readonly key: string;
  readonly region: string;
  readonly type: 'automated' | 'manual';
  status: string;
  /** When the call came that made it. */
  readonly requestedAt: string;
  progress: number;
  readonly instance: string;
  readonly resourceId: string;
  readonly instanceCreatedAt: string;
  createdAt: string | undefined;
  /** Of the first one, which a copy keeps. */
  originalCreatedAt: string | undefined;
  readonly instanceClass: string;
  readonly retention: number;
  readonly engineVersion: string;
  readonly storage: number;
  readonly storageType: string;
  readonly iops: number | undefined;
  readonly master: string;
  readonly dbName: string | undefined;
  readonly keyArn: string | undefined;
  readonly optionGroup: string;
  readonly zone: string;
  readonly port: number;
  readonly iamAuthentication: boolean;
  readonly source: { readonly arn: string; readonly region: string } | undefined;
  tags: Tag[];
}

/** What stays of an instance that was deleted with its automated backups kept. */
export interface RetainedBackup {
  readonly instance: Instance;
  readonly deletedAt: string;
}

export interface ParameterGroup {
  readonly name: string;
  /** `postgres16` */
  readonly family: string;
  readonly description: string;
  parameters: Record<string, { value: string; method: 'immediate' | 'pending-reboot' }>;
  tags: Tag[];
}

export interface SubnetGroup {
  readonly name: string;
  readonly description: string;
  readonly subnets: string[];
  tags: Tag[];
}

export interface OptionGroup {
  readonly name: string;
  readonly majorVersion: string;
  readonly description: string;
  tags: Tag[];
}

export interface RdsEvent {
  readonly source: string;
  readonly sourceType: 'db-instance' | 'db-snapshot' | 'db-parameter-group';
  readonly message: string;
  readonly categories: string[];
  readonly at: string;
}

export interface RdsRegion {
  instances: Record<string, Instance>;
  snapshots: Record<string, Snapshot>;
  retained: Record<string, RetainedBackup>;
  parameterGroups: Record<string, ParameterGroup>;
  subnetGroups: Record<string, SubnetGroup>;
  optionGroups: Record<string, OptionGroup>;
  securityGroups: string[];
  events: RdsEvent[];
  /** An endpoint belongs to the name of an instance, so a renamed one takes over what stands at its new name. */
  ports: Record<string, number>;
}
