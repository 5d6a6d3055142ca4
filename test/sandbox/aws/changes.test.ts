import {
  CreateDBParameterGroupCommand,
  CreateDBSnapshotCommand,
  DeleteDBInstanceCommand,
  DescribeDBParametersCommand,
  DescribeEventsCommand,
  ModifyDBInstanceCommand,
  ModifyDBParameterGroupCommand,
  RebootDBInstanceCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { awsPlace, ordinary, type AwsPlace } from './place.ts';

let place: AwsPlace;
beforeAll(async () => {
  place = await awsPlace();
  await place.rds.send(
    new CreateDBParameterGroupCommand({ DBParameterGroupName: 'own', DBParameterGroupFamily: 'postgres16', Description: 'for the tests' }),
  );
  await place.create('orders', { DBParameterGroupName: 'own', BackupRetentionPeriod: 0 });
}, 60_000);
afterAll(() => place.end());

const setting = async (name: string): Promise<string> => (await place.query('orders', `SHOW ${name}`)).rows[0][name];
const parameter = (ParameterName: string, ParameterValue: string, ApplyMethod: 'immediate' | 'pending-reboot') =>
  place.rds.send(
    new ModifyDBParameterGroupCommand({ DBParameterGroupName: 'own', Parameters: [{ ParameterName, ParameterValue, ApplyMethod }] }),
  );
const groupStatus = async (): Promise<string | undefined> => (await place.describe('orders')).DBParameterGroups?.[0]?.ParameterApplyStatus;

it('the master is no superuser, and makes what AWS lets it make: roles, databases, its extensions', async () => {
  const refused = { code: '42501' };
  await expect(place.query('orders', 'SELECT 1 FROM pg_authid')).rejects.toMatchObject(refused);
  await expect(place.query('orders', 'ALTER SYSTEM SET work_mem = 64')).rejects.toMatchObject(refused);
  await expect(place.query('orders', 'CREATE EXTENSION file_fdw')).rejects.toMatchObject(refused);
  await place.query('orders', 'CREATE ROLE app LOGIN; GRANT pg_monitor TO app; CREATE TABLE keyed (id int PRIMARY KEY)');
  await place.query('orders', "CREATE EXTENSION amcheck SCHEMA pg_catalog; SELECT bt_index_check('keyed_pkey', true)");
});

describe('a parameter', () => {
  it('that is dynamic is in effect at once, and a static one after a reboot', async () => {
    await parameter('work_mem', '5120', 'immediate');
    await eventually(async () => (await setting('work_mem')) === '5MB' || undefined);
    expect(await groupStatus()).toBe('in-sync');
    await parameter('max_connections', '77', 'pending-reboot');
    expect([await setting('max_connections'), await groupStatus()]).toEqual(['100', 'pending-reboot']);
    await place.rds.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'orders' }));
    expect(await place.reaches('orders', 'available')).toContain('rebooting');
    expect([await setting('max_connections'), await groupStatus()]).toEqual(['77', 'in-sync']);
  });

  it('is refused when AWS has not or keeps it, and when it cannot be so', async () => {
    await expect(parameter('no_such', '1', 'immediate')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    await expect(parameter('archive_command', 'true', 'immediate')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    await expect(parameter('max_connections', '9', 'immediate')).rejects.toMatchObject({ name: 'InvalidParameterCombination' });
    await expect(parameter('work_mem', 'lots', 'immediate')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    const { Parameters } = await place.rds.send(new DescribeDBParametersCommand({ DBParameterGroupName: 'own', Source: 'user' }));
    expect(Parameters?.map(({ ParameterName, ApplyType }) => [ParameterName, ApplyType])).toEqual([
      ['max_connections', 'static'],
      ['work_mem', 'dynamic'],
    ]);
  });
});

describe('a change', () => {
  it('waits for the maintenance window unless it is to be applied at once', async () => {
    const input = { DBInstanceIdentifier: 'orders', AllocatedStorage: 40 };
    await place.rds.send(new ModifyDBInstanceCommand(input));
    expect(await place.describe('orders')).toMatchObject({
      AllocatedStorage: 20,
      PendingModifiedValues: { AllocatedStorage: 40 },
      DBInstanceStatus: 'available',
    });
    await place.rds.send(new ModifyDBInstanceCommand({ ...input, ApplyImmediately: true }));
    expect(await place.reaches('orders', 'available')).toEqual(['modifying', 'storage-optimization', 'available']);
    expect(await place.describe('orders')).toMatchObject({ AllocatedStorage: 40, PendingModifiedValues: {} });
    await place.rds.send(new ModifyDBInstanceCommand({ ...input, ApplyImmediately: true }));
    expect(place.aws.effects().filter(({ action }) => action === 'ModifyDBInstance')).toMatchObject([{ resource: 'orders', count: 1 }]);
  });

  it('of the main password is pending while the instance is available still, and in force when that is over', async () => {
    const change = async (MasterUserPassword: string): Promise<void> => {
      const input = { DBInstanceIdentifier: 'orders', MasterUserPassword };
      const { DBInstance } = await place.rds.send(new ModifyDBInstanceCommand(input));
      expect(DBInstance).toMatchObject({ DBInstanceStatus: 'available', PendingModifiedValues: { MasterUserPassword: '****' } });
      const pending = async () => (await place.describe('orders')).PendingModifiedValues;
      await eventually(async () => (await pending())?.MasterUserPassword === undefined || undefined);
      await place.reaches('orders', 'available');
    };
    await change('the-next-password-1');
    await expect(place.query('orders', 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    await change(ordinary.MasterUserPassword);
    await place.query('orders', 'SELECT 1');
  });

  it('of the retention to more than 0 begins with a backup, and restores work from then on', async () => {
    await place.rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'orders', BackupRetentionPeriod: 3 }));
    expect(await place.reaches('orders', 'available')).toContain('backing-up');
    const restore = { SourceDBInstanceIdentifier: 'orders', TargetDBInstanceIdentifier: 'orders-new', UseLatestRestorableTime: true };
    await place.rds.send(new RestoreDBInstanceToPointInTimeCommand(restore));
    await place.reaches('orders-new', 'available');
  });

  it('of names swaps two instances behind an endpoint that stays', async () => {
    const [old, fresh] = [await place.describe('orders'), await place.describe('orders-new')];
    const rename = async (from: string, to: string): Promise<void> => {
      await place.rds.send(
        new ModifyDBInstanceCommand({ DBInstanceIdentifier: from, NewDBInstanceIdentifier: to, ApplyImmediately: true }),
      );
      await eventually(async () => (await place.describe(to)).DBInstanceStatus === 'available' || undefined);
      await expect(place.describe(from)).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
    };
    const taken = { name: 'DBInstanceAlreadyExistsFault' };
    await expect(rename('orders-new', 'orders')).rejects.toMatchObject(taken);
    const connected = await place.connect('orders');
    const renamed = rename('orders', 'orders-old');
    await eventually(async () => (await place.describe('orders')).DBInstanceStatus === 'renaming' || undefined);
    expect(await place.describe('orders')).toMatchObject({ PendingModifiedValues: { DBInstanceIdentifier: 'orders-old' } });
    await expect(rename('orders-new', 'orders-old')).rejects.toMatchObject(taken);
    await renamed;
    await expect(connected.query('SELECT 1')).rejects.toThrow();
    await rename('orders-new', 'orders');
    const now = await place.describe('orders');
    expect([now.Endpoint?.Port, now.DbiResourceId]).toEqual([old.Endpoint?.Port, fresh.DbiResourceId]);
    await place.query('orders', 'CREATE TABLE here ()');
    expect((await place.query('orders-old', "SELECT to_regclass('here') AS here")).rows).toEqual([{ here: null }]);
  });

  it('of the deletion is refused while it is protected, then takes a final snapshot', async () => {
    const protect = (DeletionProtection: boolean) =>
      place.rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'orders-old', DeletionProtection }));
    const remove = new DeleteDBInstanceCommand({
      DBInstanceIdentifier: 'orders-old',
      FinalDBSnapshotIdentifier: 'last',
      DeleteAutomatedBackups: false,
    });
    await protect(true);
    await expect(place.rds.send(remove)).rejects.toMatchObject({ name: 'InvalidParameterCombination' });
    await protect(false);
    await place.rds.send(remove);
    await expect(place.rds.send(remove)).rejects.toMatchObject({ name: 'DBSnapshotAlreadyExistsFault' });
    await eventually(async () =>
      place.describe('orders-old').then(
        () => undefined,
        () => true,
      ),
    );
    await expect(
      place.rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'last' })),
    ).rejects.toMatchObject({ name: 'DBSnapshotAlreadyExistsFault' });
  });
});

it('a forced failover keeps endpoint and every acknowledged row, in the other zone', { timeout: 90_000 }, async () => {
  await place.rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'orders', MultiAZ: true, ApplyImmediately: true }));
  await place.reaches('orders', 'available');
  const before = await place.describe('orders');
  expect(before).toMatchObject({ MultiAZ: true, AvailabilityZone: 'eu-central-1a', SecondaryAvailabilityZone: 'eu-central-1b' });
  await place.query('orders', 'CREATE TABLE kept AS SELECT generate_series(1, 500) AS n');
  await place.rds.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'orders', ForceFailover: true }));
  await place.reaches('orders', 'available');
  const after = await place.describe('orders');
  expect(after).toMatchObject({ Endpoint: before.Endpoint, AvailabilityZone: 'eu-central-1b', SecondaryAvailabilityZone: 'eu-central-1a' });
  expect(
    (await place.query('orders', 'SELECT count(*)::int AS rows, pg_walfile_name(pg_current_wal_lsn()) AS wal FROM kept')).rows,
  ).toEqual([{ rows: 500, wal: expect.stringMatching(/^00000003/) }]);
  const { Events } = await place.rds.send(
    new DescribeEventsCommand({ SourceIdentifier: 'orders', SourceType: 'db-instance', EventCategories: ['failover'] }),
  );
  expect(Events?.map(({ Message }) => Message)).toEqual(['Multi-AZ instance failover started', 'Multi-AZ instance failover completed']);
});
