import type { Call } from '../place.ts';
import type { Xml } from '../xml.ts';
import { createDBInstance } from './create-instance.ts';
import { deleteDBInstance } from './delete-instance.ts';
import { describeDBInstances } from './describe-instances.ts';
import { describeEvents } from './events.ts';
import { describeAccountAttributes } from './quotas.ts';
import { restoreDBInstanceFromDBSnapshot, restoreDBInstanceToPointInTime } from './restore-instance.ts';
import { createDBSnapshot, deleteDBSnapshot, describeDBSnapshots } from './snapshots.ts';
import { addTagsToResource, listTagsForResource, removeTagsFromResource } from './tags.ts';

export type Action = (call: Call) => Xml | Promise<Xml>;

/** What the stand-in can do of RDS's API, version 2014-10-31. */
export const rdsActions: Readonly<Record<string, Action>> = {
  AddTagsToResource: addTagsToResource,
  CreateDBInstance: createDBInstance,
  CreateDBSnapshot: createDBSnapshot,
  DeleteDBInstance: deleteDBInstance,
  DeleteDBSnapshot: deleteDBSnapshot,
  DescribeAccountAttributes: describeAccountAttributes,
  DescribeDBInstances: describeDBInstances,
  DescribeDBSnapshots: describeDBSnapshots,
  DescribeEvents: describeEvents,
  ListTagsForResource: listTagsForResource,
  RemoveTagsFromResource: removeTagsFromResource,
  RestoreDBInstanceFromDBSnapshot: restoreDBInstanceFromDBSnapshot,
  RestoreDBInstanceToPointInTime: restoreDBInstanceToPointInTime,
};
