import type * as CloudWatch from '@aws-sdk/client-cloudwatch';
import type * as Kms from '@aws-sdk/client-kms';
import type * as Rds from '@aws-sdk/client-rds';
import type * as SecretsManager from '@aws-sdk/client-secrets-manager';

/** Every call to AWS that Steadyhand makes, by the name of its permission, with what is sent and what comes back. */
export interface AwsCalls {
  'rds:DescribeDBInstances': [Rds.DescribeDBInstancesCommandInput, Rds.DescribeDBInstancesCommandOutput];
  'rds:DescribeDBInstanceAutomatedBackups': [
    Rds.DescribeDBInstanceAutomatedBackupsCommandInput,
    Rds.DescribeDBInstanceAutomatedBackupsCommandOutput,
  ];
  'rds:DescribeDBSnapshots': [Rds.DescribeDBSnapshotsCommandInput, Rds.DescribeDBSnapshotsCommandOutput];
  'rds:DescribeDBParameterGroups': [Rds.DescribeDBParameterGroupsCommandInput, Rds.DescribeDBParameterGroupsCommandOutput];
  'rds:DescribeDBParameters': [Rds.DescribeDBParametersCommandInput, Rds.DescribeDBParametersCommandOutput];
  'rds:DescribeDBSubnetGroups': [Rds.DescribeDBSubnetGroupsCommandInput, Rds.DescribeDBSubnetGroupsCommandOutput];
  'rds:DescribeDBEngineVersions': [Rds.DescribeDBEngineVersionsCommandInput, Rds.DescribeDBEngineVersionsCommandOutput];
  'rds:DescribeAccountAttributes': [Rds.DescribeAccountAttributesCommandInput, Rds.DescribeAccountAttributesCommandOutput];
  'rds:DescribeDBLogFiles': [Rds.DescribeDBLogFilesCommandInput, Rds.DescribeDBLogFilesCommandOutput];
  'rds:DownloadDBLogFilePortion': [Rds.DownloadDBLogFilePortionCommandInput, Rds.DownloadDBLogFilePortionCommandOutput];
  'rds:RestoreDBInstanceToPointInTime': [Rds.RestoreDBInstanceToPointInTimeCommandInput, Rds.RestoreDBInstanceToPointInTimeCommandOutput];
  'rds:RestoreDBInstanceFromDBSnapshot': [
    Rds.RestoreDBInstanceFromDBSnapshotCommandInput,
    Rds.RestoreDBInstanceFromDBSnapshotCommandOutput,
  ];
  'rds:ModifyDBInstance': [Rds.ModifyDBInstanceCommandInput, Rds.ModifyDBInstanceCommandOutput];
  'rds:RebootDBInstance': [Rds.RebootDBInstanceCommandInput, Rds.RebootDBInstanceCommandOutput];
  'rds:AddTagsToResource': [Rds.AddTagsToResourceCommandInput, Rds.AddTagsToResourceCommandOutput];
  'rds:RemoveTagsFromResource': [Rds.RemoveTagsFromResourceCommandInput, Rds.RemoveTagsFromResourceCommandOutput];
  'rds:CreateDBSnapshot': [Rds.CreateDBSnapshotCommandInput, Rds.CreateDBSnapshotCommandOutput];
  'rds:CopyDBSnapshot': [Rds.CopyDBSnapshotCommandInput, Rds.CopyDBSnapshotCommandOutput];
  'rds:DeleteDBSnapshot': [Rds.DeleteDBSnapshotCommandInput, Rds.DeleteDBSnapshotCommandOutput];
  'rds:DeleteDBInstance': [Rds.DeleteDBInstanceCommandInput, Rds.DeleteDBInstanceCommandOutput];
  'kms:DescribeKey': [Kms.DescribeKeyCommandInput, Kms.DescribeKeyCommandOutput];
  'secretsmanager:GetSecretValue': [SecretsManager.GetSecretValueCommandInput, SecretsManager.GetSecretValueCommandOutput];
  'cloudwatch:GetMetricStatistics': [CloudWatch.GetMetricStatisticsCommandInput, CloudWatch.GetMetricStatisticsCommandOutput];
}

export type AwsAction = keyof AwsCalls;

/**
 * `look`: repeating is harmless, so the SDK may. `change`: sent once; whether it happened is found out by looking, never by
 * sending it again. deploy/iam-policy.json allows exactly these.
 */
export const awsActions: Readonly<Record<AwsAction, 'look' | 'change'>> = {
  'rds:DescribeDBInstances': 'look',
  'rds:DescribeDBInstanceAutomatedBackups': 'look',
  'rds:DescribeDBSnapshots': 'look',
  'rds:DescribeDBParameterGroups': 'look',
  'rds:DescribeDBParameters': 'look',
  'rds:DescribeDBSubnetGroups': 'look',
  'rds:DescribeDBEngineVersions': 'look',
  'rds:DescribeAccountAttributes': 'look',
  'rds:DescribeDBLogFiles': 'look',
  'rds:DownloadDBLogFilePortion': 'look',
  'rds:RestoreDBInstanceToPointInTime': 'change',
  'rds:RestoreDBInstanceFromDBSnapshot': 'change',
  'rds:ModifyDBInstance': 'change',
  'rds:RebootDBInstance': 'change',
  'rds:AddTagsToResource': 'change',
  'rds:RemoveTagsFromResource': 'change',
  'rds:CreateDBSnapshot': 'change',
  'rds:CopyDBSnapshot': 'change',
  'rds:DeleteDBSnapshot': 'change',
  'rds:DeleteDBInstance': 'change',
  'kms:DescribeKey': 'look',
  'secretsmanager:GetSecretValue': 'look',
  'cloudwatch:GetMetricStatistics': 'look',
};
