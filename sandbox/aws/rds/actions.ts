import type { Call } from '../place.ts';
import type { Xml } from '../xml.ts';
import { deleteDBInstanceAutomatedBackup, describeDBInstanceAutomatedBackups } from './automated-backups.ts';
import { copyDBSnapshot } from './copy-snapshot.ts';
import { createDBInstance } from './create-instance.ts';
import { deleteDBInstance } from './delete-instance.ts';
import { describeDBInstances } from './describe-instances.ts';
import { describeDBEngineVersions } from './engine-versions.ts';
import { describeEvents } from './events.ts';
import { describeDBLogFiles, downloadDBLogFilePortion } from './log-files.ts';
import { modifyDBInstance } from './modify-instance.ts';
import { createOptionGroup, describeOptionGroups } from './option-groups.ts';
import { copyDBParameterGroup, createDBParameterGroup, deleteDBParameterGroup, describeDBParameterGroups } from './parameter-groups.ts';
import { describeDBParameters, modifyDBParameterGroup, resetDBParameterGroup } from './parameters.ts';
import { describeAccountAttributes } from './quotas.ts';
import { rebootDBInstance, startDBInstance, stopDBInstance } from './reboot-instance.ts';
import { addRoleToDBInstance } from './roles.ts';
import { restoreDBInstanceFromDBSnapshot, restoreDBInstanceToPointInTime } from './restore-instance.ts';
import { createDBSnapshot, deleteDBSnapshot, describeDBSnapshots } from './snapshots.ts';
import { createDBSubnetGroup, deleteDBSubnetGroup, describeDBSubnetGroups } from './subnet-groups.ts';
import { addTagsToResource, listTagsForResource, removeTagsFromResource } from './tags.ts';

export type Action = (call: Call) => Xml | Promise<Xml>;

/** What the stand-in can do of RDS's API, version 2014-10-31. */
export const rdsActions: Readonly<Record<string, Action>> = {
  AddRoleToDBInstance: addRoleToDBInstance,
  AddTagsToResource: addTagsToResource,
  CopyDBParameterGroup: copyDBParameterGroup,
  CopyDBSnapshot: copyDBSnapshot,
  CreateDBInstance: createDBInstance,
  CreateDBParameterGroup: createDBParameterGroup,
  CreateDBSnapshot: createDBSnapshot,
  CreateDBSubnetGroup: createDBSubnetGroup,
  CreateOptionGroup: createOptionGroup,
  DeleteDBInstance: deleteDBInstance,
  DeleteDBInstanceAutomatedBackup: deleteDBInstanceAutomatedBackup,
  DeleteDBParameterGroup: deleteDBParameterGroup,
  DeleteDBSnapshot: deleteDBSnapshot,
  DeleteDBSubnetGroup: deleteDBSubnetGroup,
  DescribeAccountAttributes: describeAccountAttributes,
  DescribeDBEngineVersions: describeDBEngineVersions,
  DescribeDBInstanceAutomatedBackups: describeDBInstanceAutomatedBackups,
  DescribeDBInstances: describeDBInstances,
  DescribeDBLogFiles: describeDBLogFiles,
  DescribeDBParameterGroups: describeDBParameterGroups,
  DescribeDBParameters: describeDBParameters,
  DescribeDBSnapshots: describeDBSnapshots,
  DescribeDBSubnetGroups: describeDBSubnetGroups,
  DescribeEvents: describeEvents,
  DescribeOptionGroups: describeOptionGroups,
  DownloadDBLogFilePortion: downloadDBLogFilePortion,
  ListTagsForResource: listTagsForResource,
  ModifyDBInstance: modifyDBInstance,
  ModifyDBParameterGroup: modifyDBParameterGroup,
  RebootDBInstance: rebootDBInstance,
  RemoveTagsFromResource: removeTagsFromResource,
  ResetDBParameterGroup: resetDBParameterGroup,
  RestoreDBInstanceFromDBSnapshot: restoreDBInstanceFromDBSnapshot,
  RestoreDBInstanceToPointInTime: restoreDBInstanceToPointInTime,
  StartDBInstance: startDBInstance,
  StopDBInstance: stopDBInstance,
};
