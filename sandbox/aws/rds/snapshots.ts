import { AwsError } from '../aws-error.ts';
import type { Call, Place } from '../place.ts';
import { identifier } from '../state.ts';
import { list, type Xml } from '../xml.ts';
import type { Instance, Snapshot, Tag } from './model.ts';
import { arn, instanceOf, mustBe, newIdentifier, parseArn, snapshotOf } from './names.ts';
import { pageOf, passes } from './pages.ts';
import { roomForSnapshot } from './quotas.ts';
import { tagList, tagsOf } from './tags.ts';

export function createDBSnapshot(call: Call): Xml {
  const { query, rds, place, region } = call;
  const id = newIdentifier('DBSnapshotIdentifier', query.required('DBSnapshotIdentifier'), 255);
  const instance = instanceOf(rds, query.required('DBInstanceIdentifier'));
  refuseTaken(call, id);
  mustBe(instance, 'available', 'storage-optimization');
  roomForSnapshot(call);
  const snapshot = addSnapshot(place, instance, id, 'manual', tagsOf(query));
  place.effect('CreateDBSnapshot', region, id);
  place.jobs.begin('snapshot', region, snapshot.key, { resourceId: instance.resourceId });
  return { DBSnapshot: snapshotXml(place, snapshot) };
}

/** Throws DBSnapshotAlreadyExists. */
export function refuseTaken({ rds }: Call, id: string): void {
  if (rds.snapshots[id])
    throw new AwsError(
      'DBSnapshotAlreadyExists',
      `Cannot create the snapshot because a snapshot with the identifier ${id} already exists.`,
    );
}

/** A snapshot in the state `creating`; the instance's own tags go with it if it says so. */
export function addSnapshot(place: Place, instance: Instance, id: string, type: Snapshot['type'], tags: readonly Tag[]): Snapshot {
  const inherited = instance.copyTagsToSnapshot ? instance.tags.filter(({ key }) => !tags.some((one) => one.key === key)) : [];
  const snapshot: Snapshot = {
    id,
    key: `snap-${identifier(20)}`,
    region: instance.region,
    type,
    status: 'creating',
    requestedAt: new Date().toISOString(),
    progress: 0,
    instance: instance.id,
    resourceId: instance.resourceId,
    instanceCreatedAt: instance.createdAt,
    createdAt: undefined,
    originalCreatedAt: undefined,
    instanceClass: instance.instanceClass,
    retention: instance.retention,
    engineVersion: instance.engineVersion,
    storage: instance.storage,
    storageType: instance.storageType,
    iops: instance.iops,
    master: instance.master,
    dbName: instance.dbName,
    keyArn: instance.keyArn,
    optionGroup: instance.optionGroup,
    zone: instance.zone,
    port: instance.port,
    iamAuthentication: instance.iamAuthentication,
    source: undefined,
    tags: [...inherited, ...tags],
  };
  const rds = place.state.rds[instance.region];
  if (rds) rds.snapshots[id] = snapshot;
  return snapshot;
}

export function describeDBSnapshots(call: Call): Xml {
  const { rds, query, place } = call;
  const id = query.text('DBSnapshotIdentifier');
  const named = id === undefined ? Object.values(rds.snapshots) : [snapshotOf(rds, parseArn(call, 'snapshot', id).name)];
  const [instance, type, resourceId] = [query.text('DBInstanceIdentifier'), query.text('SnapshotType'), query.text('DbiResourceId')];
  const found = named.filter(
    (one) =>
      (instance === undefined || one.instance === instance.toLowerCase()) &&
      (type === undefined || one.type === type) &&
      (resourceId === undefined || one.resourceId === resourceId) &&
      passes(query, {
        'db-instance-id': [one.instance],
        'db-snapshot-id': [one.id],
        'dbi-resource-id': [one.resourceId],
        'snapshot-type': [one.type],
        engine: ['postgres'],
      }),
  );
  const { items, marker } = pageOf(query, found);
  return {
    Marker: marker,
    DBSnapshots: list(
      'DBSnapshot',
      items.map((one) => snapshotXml(place, one)),
    ),
  };
}

export function deleteDBSnapshot({ rds, query, place, region }: Call): Xml {
  const snapshot = snapshotOf(rds, query.required('DBSnapshotIdentifier'));
  if (snapshot.type === 'automated')
    throw new AwsError('InvalidDBSnapshotState', `The snapshot ${snapshot.id} is automated; it cannot be deleted by a call.`);
  if (snapshot.status === 'creating')
    throw new AwsError(
      'InvalidDBSnapshotState',
      `Cannot delete the snapshot ${snapshot.id} because it is not currently in the available or failed state.`,
    );
  removeSnapshot(place, snapshot);
  place.effect('DeleteDBSnapshot', region, snapshot.id);
  return { DBSnapshot: { ...snapshotXml(place, { ...snapshot, status: 'deleted' }) } };
}

/** Its row at once, its files as time permits. */
export function removeSnapshot(place: Place, { region, id, key }: Snapshot): void {
  const rds = place.state.rds[region];
  if (rds) delete rds.snapshots[id];
  place.jobs.begin('remove-files', region, key);
}

export function snapshotXml(place: Place, one: Snapshot): Record<string, Xml> {
  return {
    DBSnapshotIdentifier: one.id,
    DBInstanceIdentifier: one.instance,
    SnapshotCreateTime: one.createdAt === undefined ? undefined : new Date(one.createdAt),
    Engine: 'postgres',
    AllocatedStorage: one.storage,
    Status: one.status,
    Port: one.port,
    AvailabilityZone: one.zone,
    VpcId: 'vpc-0',
    InstanceCreateTime: new Date(one.instanceCreatedAt),
    MasterUsername: one.master,
    EngineVersion: one.engineVersion,
    LicenseModel: 'postgresql-license',
    SnapshotType: one.type,
    Iops: one.iops,
    OptionGroupName: one.optionGroup,
    PercentProgress: one.progress,
    SourceRegion: one.source?.region,
    SourceDBSnapshotIdentifier: one.source?.arn,
    StorageType: one.storageType,
    Encrypted: one.keyArn !== undefined,
    KmsKeyId: one.keyArn,
    DBSnapshotArn: arn(place, one.region, 'snapshot', one.id),
    IAMDatabaseAuthenticationEnabled: one.iamAuthentication,
    DbiResourceId: one.resourceId,
    TagList: tagList(one.tags),
    OriginalSnapshotCreateTime: one.originalCreatedAt === undefined ? undefined : new Date(one.originalCreatedAt),
    SnapshotTarget: 'region',
    StorageThroughput: 0,
    DedicatedLogVolume: false,
  };
}
