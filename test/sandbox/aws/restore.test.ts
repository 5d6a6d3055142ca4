import {
  CreateDBSnapshotCommand,
  DeleteDBInstanceCommand,
  DescribeDBSnapshotsCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { processesIn } from '../support.ts';
import { awsPlace, type AwsPlace } from './place.ts';

let place: AwsPlace;
beforeAll(async () => {
  place = await awsPlace({ securityGroups: ['sg-quarantine'] });
}, 60_000);
afterAll(() => place.end());

/** A row every 100 ms until it is told to stop, over one connection each so that restarts don't matter. */
function heart(id: string): { stop(): Promise<void> } {
  let beating = true;
  const beats = (async () => {
    while (beating) {
      await place.query(id, 'INSERT INTO beat DEFAULT VALUES');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    stop: async () => {
      beating = false;
      await beats;
    },
  };
}

const newest = 'SELECT max(at) AS at FROM beat WHERE at <= $1';
const next = 'SELECT min(at) AS at FROM beat WHERE at > $1';

describe('a restore', () => {
  it(
    'to a second has the last row up to it and not the first one after it; to a later one it is refused',
    { timeout: 120_000 },
    async () => {
      await place.create('orders', { DeletionProtection: true, Tags: [{ Key: 'team', Value: 'orders & <co>' }] });
      await place.query('orders', 'CREATE TABLE beat (at timestamptz DEFAULT clock_timestamp())');
      const beats = heart('orders');
      const target = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000);
      const restore = { SourceDBInstanceIdentifier: 'orders', TargetDBInstanceIdentifier: 'orders-then', RestoreTime: target };
      await expect(place.rds.send(new RestoreDBInstanceToPointInTimeCommand(restore))).rejects.toMatchObject({
        name: 'InvalidParameterValue',
      });
      await eventually(async () => ((await place.describe('orders')).LatestRestorableTime ?? 0) >= target || undefined);
      await beats.stop();
      await place.rds.send(new RestoreDBInstanceToPointInTimeCommand(restore));
      expect(await place.reaches('orders-then', 'available')).toEqual(['creating', 'backing-up', 'available']);

      const [live, then] = [await place.query('orders', newest, [target]), await place.query('orders-then', newest, ['infinity'])];
      expect(then.rows[0].at).toEqual(live.rows[0].at);
      expect((await place.query('orders', next, [target])).rows[0].at).toBeInstanceOf(Date);
      expect((await place.query('orders-then', 'SELECT pg_is_in_recovery() AS yes')).rows).toEqual([{ yes: false }]);
      // What RDS does not carry over, is not.
      expect(await place.describe('orders-then')).toMatchObject({
        DeletionProtection: false,
        TagList: [],
        MultiAZ: false,
        BackupRetentionPeriod: 1,
      });
      expect((await place.describe('orders')).TagList).toEqual([{ Key: 'team', Value: 'orders & <co>' }]);
    },
  );

  it('from a snapshot has what was there, keeps its groups, and goes without a trace', { timeout: 120_000 }, async () => {
    await place.rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'now' }));
    await place.reaches('orders', 'available');
    const { DBSnapshots } = await place.rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: 'now' }));
    expect(DBSnapshots).toMatchObject([{ Status: 'available', PercentProgress: 100, SnapshotType: 'manual' }]);
    const before = await place.query('orders', 'SELECT count(*) AS rows FROM beat');
    await place.query('orders', 'TRUNCATE beat');
    const restore = { DBSnapshotIdentifier: 'now', DBInstanceIdentifier: 'again', VpcSecurityGroupIds: ['sg-quarantine'] };
    await place.rds.send(new RestoreDBInstanceFromDBSnapshotCommand(restore));
    await place.reaches('again', 'available');
    expect((await place.query('again', 'SELECT count(*) AS rows FROM beat')).rows).toEqual(before.rows);
    expect((await place.describe('again')).VpcSecurityGroups).toMatchObject([{ VpcSecurityGroupId: 'sg-quarantine' }]);

    const { DbiResourceId } = await place.describe('again');
    await place.rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'again', SkipFinalSnapshot: true }));
    await eventually(async () =>
      place.describe('again').then(
        () => undefined,
        (error: Error) => error.name === 'DBInstanceNotFoundFault' || undefined,
      ),
    );
    expect(processesIn(`${DbiResourceId}`)).toEqual([]);
    expect(
      place.aws
        .effects()
        .filter(({ resource }) => resource === 'again')
        .map(({ action, count }) => [action, count]),
    ).toEqual([
      ['RestoreDBInstanceFromDBSnapshot', 1],
      ['DeleteDBInstance', 1],
    ]);
  });
});
