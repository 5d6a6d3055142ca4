import { GetMetricDataCommand, CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateDBInstanceCommand,
  DeleteDBInstanceCommand,
  DescribeDBEngineVersionsCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  RebootDBInstanceCommand,
  RestoreDBInstanceToPointInTimeCommand,
  type RDSClientConfig,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { awsPlace, home, clientOf, ordinary, type AwsPlace } from './place.ts';

const credential = { accessKeyId: 'AKIATEST', secretAccessKey: 'its secret' };
const mayRead = {
  accessKeyId: 'AKIAREADER',
  secretAccessKey: 'another',
  user: 'reader',
  allowed: ['rds:Describe*'],
  denied: ['rds:DescribeDBSnapshots'],
};
const session = { accessKeyId: 'ASIAGONE', secretAccessKey: 'gone', sessionToken: 'token', expires: '2026-01-01T00:00:00Z' };

let place: AwsPlace;
beforeAll(async () => {
  place = await awsPlace({ credentials: [credential, mayRead, session], keys: [{ region: home, alias: 'alias/off', state: 'Disabled' }] });
  await place.create('orders', { BackupRetentionPeriod: 0, MultiAZ: false });
}, 60_000);
afterAll(() => place.end());

const describeAs = (credentials: RDSClientConfig['credentials']): Promise<unknown> =>
  new RDSClient({ endpoint: place.aws.endpoint, region: home, maxAttempts: 1, ...(credentials ? { credentials } : {}) }).send(
    new DescribeDBInstancesCommand({}),
  );
const create = (id: string, input: object = {}): Promise<unknown> =>
  place.rds.send(new CreateDBInstanceCommand({ ...ordinary, DBInstanceIdentifier: id, ...input }));
const modify = (input: object): Promise<unknown> =>
  place.rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'orders', ...input }));

describe('who may call', () => {
  it.each([
    ['a wrong secret', { ...credential, secretAccessKey: 'guessed' }, 'SignatureDoesNotMatch'],
    ['an unknown key', { ...credential, accessKeyId: 'AKIANOBODY' }, 'InvalidClientTokenId'],
    ['a wrong session token', { ...session, sessionToken: 'made up' }, 'InvalidClientTokenId'],
    ['a session that is over', session, 'ExpiredToken'],
  ])('%s is refused', async (_, credentials, name) => {
    await expect(describeAs(credentials)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } });
  });

  it('an action that the policy does not allow, or denies, is named in the refusal', async () => {
    await expect(describeAs(mayRead)).resolves.toBeDefined();
    const reader = new RDSClient({ endpoint: place.aws.endpoint, region: home, credentials: mayRead, maxAttempts: 1 });
    const refusal = {
      name: 'AccessDenied',
      message: expect.stringContaining('user/reader is not authorized to perform: rds:DeleteDBInstance'),
    };
    await expect(
      reader.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'orders', SkipFinalSnapshot: true })),
    ).rejects.toMatchObject(refusal);
    await expect(reader.send(new DescribeDBSnapshotsCommand({}))).rejects.toMatchObject({
      message: expect.stringContaining('rds:DescribeDBSnapshots'),
    });
    expect(place.aws.effects().some(({ action }) => action === 'DeleteDBInstance')).toBe(false);
  });
});

describe('a fault', () => {
  it('throttles, fails and denies as often as it was planned, and the SDK tries again by itself', async () => {
    place.aws.fault({ action: 'DescribeDBInstances', kind: 'throttle', after: 1 });
    await place.describe('orders');
    await expect(place.describe('orders')).rejects.toMatchObject({ name: 'Throttling' });
    await place.describe('orders');
    place.aws.fault({ action: 'DescribeDBInstances', kind: 'error', times: 2 });
    const patient = new RDSClient({ endpoint: place.aws.endpoint, region: home, credentials: credential, maxAttempts: 3 });
    await patient.send(new DescribeDBInstancesCommand({}));
    const codes = place.aws
      .calls()
      .slice(-3)
      .map(({ status, code, faults }) => [status, code, faults]);
    expect(codes).toEqual([
      [500, 'InternalFailure', ['error']],
      [500, 'InternalFailure', ['error']],
      [200, undefined, undefined],
    ]);
  });

  it('loses the answer of a call that was made: the effect is there, and once', async () => {
    place.aws.fault({ action: 'CreateDBInstance', kind: 'lost' });
    await expect(create('lost')).rejects.toThrow(/socket hang up|ECONNRESET|aborted/);
    await expect(create('lost')).rejects.toMatchObject({ name: 'DBInstanceAlreadyExistsFault', Code: 'DBInstanceAlreadyExists' });
    expect(await place.reaches('lost', 'available')).toContain('creating');
    expect(place.aws.effects()).toContainEqual({ action: 'CreateDBInstance', region: home, resource: 'lost', count: 1 });
    const { parameters } = place.aws.calls().findLast(({ action }) => action === 'CreateDBInstance') ?? {};
    expect(parameters).toMatchObject({ DBInstanceIdentifier: 'lost', MasterUserPassword: '***' });
  });

  it('hides what was just made', async () => {
    const lift = place.aws.fault({ action: 'DescribeDBInstances', kind: 'not-found', ms: 400 });
    await create('young', { BackupRetentionPeriod: 0 });
    await expect(place.describe('young')).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
    await eventually(() => place.describe('young'));
    lift();
    await place.reaches('young', 'available');
  });
});

describe('a wrong request', () => {
  it.each([
    ['DBInstanceAlreadyExistsFault', () => create('orders')],
    ['InvalidParameterValue', () => create('two--hyphens')],
    ['InvalidParameterValue', () => create('new', { AllocatedStorage: 5 })],
    ['InvalidParameterCombination', () => create('new', { EngineVersion: '9.6' })],
    ['InvalidParameterCombination', () => create('new', { StorageType: 'io2' })],
    ['InvalidParameterCombination', () => modify({ StorageType: 'io1' })],
    [
      'StorageQuotaExceededFault',
      () => Promise.all([create('big', { AllocatedStorage: 60_000 }), create('bigger', { AllocatedStorage: 60_000 })]),
    ],
    ['DBParameterGroupNotFoundFault', () => create('new', { DBParameterGroupName: 'nowhere' })],
    ['DBSubnetGroupNotFoundFault', () => create('new', { DBSubnetGroupName: 'nowhere' })],
    ['KMSKeyNotAccessibleFault', () => create('new', { StorageEncrypted: true, KmsKeyId: 'alias/off' })],
    ['KMSKeyNotAccessibleFault', () => create('new', { StorageEncrypted: true, KmsKeyId: 'alias/nowhere' })],
    [
      'InvalidParameterCombination',
      () => place.rds.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'orders', ForceFailover: true })),
    ],
    ['InvalidParameterCombination', () => place.rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'orders' }))],
    ['DBInstanceNotFoundFault', () => place.rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'nowhere' }))],
    [
      'PointInTimeRestoreNotEnabledFault',
      () =>
        place.rds.send(
          new RestoreDBInstanceToPointInTimeCommand({
            SourceDBInstanceIdentifier: 'orders',
            TargetDBInstanceIdentifier: 'x',
            UseLatestRestorableTime: true,
          }),
        ),
    ],
  ])('is answered with %s', async (name, call) => {
    const before = place.aws.effects().filter(({ resource }) => resource === 'new' || resource === 'orders');
    await expect(call()).rejects.toMatchObject({ name });
    expect(place.aws.effects().filter(({ resource }) => resource === 'new' || resource === 'orders')).toEqual(before);
  });
});

it('a change of storage that has IOPS names both its size and them', async () => {
  await place.create('fast', { StorageType: 'io1', AllocatedStorage: 100, Iops: 1_000, BackupRetentionPeriod: 0 });
  const change = async (input: object): Promise<unknown> =>
    await place.rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'fast', ...input }));
  const refused = { name: 'InvalidParameterCombination', message: expect.stringContaining('both the storage size and iops') };
  await expect(change({ StorageType: 'io1', Iops: 1_000 })).rejects.toMatchObject(refused);
  await expect(change({ AllocatedStorage: 200 })).rejects.toMatchObject(refused);
  await change({ AllocatedStorage: 100, Iops: 2_000 });
  expect((await place.describe('fast')).PendingModifiedValues).toEqual({ Iops: 2_000 });
});

it('keys, metrics and versions are told as at AWS', async () => {
  const client = { endpoint: place.aws.endpoint, region: home, credentials: credential };
  const { KeyMetadata } = await new KMSClient(client).send(new DescribeKeyCommand({ KeyId: 'alias/off' }));
  expect(KeyMetadata).toMatchObject({ KeyState: 'Disabled', Enabled: false, KeyManager: 'CUSTOMER' });
  await expect(new KMSClient(client).send(new DescribeKeyCommand({ KeyId: 'alias/no' }))).rejects.toMatchObject({
    name: 'NotFoundException',
  });
  const Metric = { Namespace: 'AWS/RDS', MetricName: 'FreeStorageSpace', Dimensions: [{ Name: 'DBInstanceIdentifier', Value: 'orders' }] };
  const [StartTime, EndTime] = [new Date(Date.now() - 600_000), new Date()];
  const MetricDataQueries = [{ Id: 'free', MetricStat: { Metric, Period: 60, Stat: 'Average' } }];
  const { MetricDataResults } = await new CloudWatchClient(client).send(
    new GetMetricDataCommand({ StartTime, EndTime, MetricDataQueries }),
  );
  const free = MetricDataResults?.[0]?.Values?.[0] ?? 0;
  expect(free).toBeLessThan(20 * 2 ** 30);
  expect(free).toBeGreaterThan(19 * 2 ** 30);
  const { DBEngineVersions } = await clientOf(place.aws, home).send(new DescribeDBEngineVersionsCommand({ Engine: 'postgres' }));
  expect(DBEngineVersions?.map(({ DBParameterGroupFamily }) => DBParameterGroupFamily)).toEqual(['postgres16', 'postgres18']);
});
