import {
  CopyDBSnapshotCommand,
  CreateDBSnapshotCommand,
  DeleteDBSnapshotCommand,
  DescribeDBSnapshotsCommand,
  ListTagsForResourceCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
  type CopyDBSnapshotCommandInput,
  type DBSnapshot,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { abroad, awsPlace, home, type AwsPlace } from './place.ts';

let place: AwsPlace;
let automatedArn = '';
beforeAll(async () => {
  const keys = [
    { region: home, alias: 'alias/own' },
    { region: abroad, alias: 'alias/dr' },
    { region: abroad, alias: 'alias/off', state: 'Disabled' },
  ] as const;
  place = await awsPlace({ keys, quotas: { ManualSnapshots: 3 }, copiesAtOnce: 2 });
  await place.create('orders', {
    StorageEncrypted: true,
    KmsKeyId: 'alias/own',
    CopyTagsToSnapshot: true,
    Tags: [{ Key: 'team', Value: 'orders' }],
  });
  await place.query('orders', 'CREATE TABLE kept AS SELECT generate_series(1, 100) AS n');
  await place.rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'first' }));
  await place.reaches('orders', 'available');
}, 60_000);
afterAll(() => place.end());

const snapshots = async (client: AwsPlace['rds'], id?: string): Promise<DBSnapshot[]> =>
  (await client.send(new DescribeDBSnapshotsCommand(id === undefined ? {} : { DBSnapshotIdentifier: id }))).DBSnapshots ?? [];
const copy = (input: Partial<CopyDBSnapshotCommandInput> = {}) =>
  place.rdsAbroad.send(
    new CopyDBSnapshotCommand({
      SourceDBSnapshotIdentifier: `arn:aws:rds:${home}:${place.aws.account}:snapshot:first`,
      TargetDBSnapshotIdentifier: 'copy',
      KmsKeyId: 'alias/dr',
      ...input,
    }),
  );

describe('a copy to another region', () => {
  it.each([
    ['KMSKeyNotAccessibleFault', { KmsKeyId: undefined }],
    ['KMSKeyNotAccessibleFault', { KmsKeyId: 'alias/off' }],
    ['KMSKeyNotAccessibleFault', { KmsKeyId: 'alias/own' }],
    ['DBSnapshotNotFoundFault', { SourceDBSnapshotIdentifier: 'first' }],
    ['InvalidParameterValue', { TargetDBSnapshotIdentifier: 'rds:copy' }],
    ['InvalidParameterValue', { PreSignedUrl: 'https://rds.eu-central-1.amazonaws.com/?Action=CopyDBSnapshot' }],
  ])('is answered with %s when it is asked for wrongly', async (name, input) => {
    await expect(copy(input)).rejects.toMatchObject({ name });
    expect(await snapshots(place.rdsAbroad)).toEqual([]);
  });

  it('of one source waits for the one before, keeps its age and tags, and restores there', { timeout: 90_000 }, async () => {
    await copy({ CopyTags: true });
    await copy({ TargetDBSnapshotIdentifier: 'second' });
    await expect(copy({ TargetDBSnapshotIdentifier: 'third' })).rejects.toMatchObject({
      name: 'SnapshotQuotaExceededFault',
      message: 'Cannot copy more than 2 snapshots across regions',
    });
    const progress = (await snapshots(place.rdsAbroad)).map(({ DBSnapshotIdentifier, PercentProgress }) => [
      DBSnapshotIdentifier,
      PercentProgress,
    ]);
    expect(progress).toEqual([
      ['copy', 10],
      ['second', 0],
    ]);
    await eventually(async () => (await snapshots(place.rdsAbroad, 'second'))[0]?.Status === 'available' || undefined);
    const [source] = await snapshots(place.rds, 'first');
    const [made, later] = await snapshots(place.rdsAbroad);
    expect(made).toMatchObject({
      SnapshotType: 'manual',
      Encrypted: true,
      SourceRegion: home,
      OriginalSnapshotCreateTime: source?.OriginalSnapshotCreateTime,
    });
    expect(made?.SnapshotCreateTime?.getTime()).toBeGreaterThan(source?.SnapshotCreateTime?.getTime() ?? Infinity);
    expect(later?.SnapshotCreateTime?.getTime()).toBeGreaterThan(made?.SnapshotCreateTime?.getTime() ?? Infinity);
    expect(made?.KmsKeyId).toContain(`arn:aws:kms:${abroad}:`);
    const tags = await place.rdsAbroad.send(new ListTagsForResourceCommand({ ResourceName: made?.DBSnapshotArn ?? '' }));
    expect([tags.TagList, later?.TagList]).toEqual([[{ Key: 'team', Value: 'orders' }], []]);

    await place.rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: 'first' }));
    await place.rdsAbroad.send(new RestoreDBInstanceFromDBSnapshotCommand({ DBSnapshotIdentifier: 'copy', DBInstanceIdentifier: 'drill' }));
    const drill = await eventually(async () => {
      const found = await place.describe('drill', place.rdsAbroad);
      return found.DBInstanceStatus === 'available' ? found : undefined;
    });
    expect((await place.queryAt(drill, 'SELECT count(*)::int AS rows FROM kept')).rows).toEqual([{ rows: 100 }]);
  });

  it('is not of a snapshot that AWS makes by itself, which nobody deletes either', async () => {
    const automated = (await snapshots(place.rds)).find(({ SnapshotType }) => SnapshotType === 'automated');
    expect(automated?.DBSnapshotIdentifier).toMatch(/^rds:orders-/);
    const remove = new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: automated?.DBSnapshotIdentifier ?? '' });
    await expect(place.rds.send(remove)).rejects.toMatchObject({ name: 'InvalidDBSnapshotStateFault' });
    automatedArn = automated?.DBSnapshotArn ?? '';
    await copy({ SourceDBSnapshotIdentifier: automatedArn, TargetDBSnapshotIdentifier: 'of-automated' });
    expect((await snapshots(place.rdsAbroad, 'of-automated'))[0]).toMatchObject({ SnapshotType: 'manual' });
  });

  it('is refused when the destination has as many as it may, whatever the source has', async () => {
    await eventually(async () => (await snapshots(place.rdsAbroad, 'of-automated'))[0]?.Status === 'available' || undefined);
    const full = copy({ SourceDBSnapshotIdentifier: automatedArn, TargetDBSnapshotIdentifier: 'too-many' });
    await expect(full).rejects.toMatchObject({ name: 'SnapshotQuotaExceededFault', Code: 'SnapshotQuotaExceeded' });
  });
});
