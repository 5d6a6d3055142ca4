import { RebootDBInstanceCommand, RestoreDBInstanceToPointInTimeCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { awsPlace, type AwsPlace } from '../../sandbox/aws/place.ts';

let place: AwsPlace;
beforeAll(async () => {
  place = await awsPlace({ engines: postgres15 === undefined ? [] : [{ version: '15.18', bin: postgres15 }] });
});
afterAll(() => place.end());

it.each([...(postgres15 === undefined ? [] : [15]), 18])(
  'PostgreSQL %i restores to a moment and fails over',
  async (major) => {
    const [id, copy] = [`orders-${major}`, `orders-${major}-then`];
    await place.create(id, { EngineVersion: String(major), MultiAZ: true });
    await place.query(id, 'CREATE TABLE kept AS SELECT 1 AS n');
    await place.rds.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: id, ForceFailover: true }));
    await place.reaches(id, 'available');
    expect((await place.query(id, "SELECT current_setting('server_version_num')::int / 10000 AS major, n FROM kept")).rows).toEqual([
      { major, n: 1 },
    ]);
    // The moment is after the failover, the backup before it: the archive goes on from one timeline to the next.
    await place.query(id, 'INSERT INTO kept VALUES (2)');
    const RestoreTime = new Date(Math.ceil(Date.now() / 1_000) * 1_000);
    await eventually(async () => ((await place.describe(id)).LatestRestorableTime ?? 0) >= RestoreTime || undefined);
    await place.rds.send(
      new RestoreDBInstanceToPointInTimeCommand({ SourceDBInstanceIdentifier: id, TargetDBInstanceIdentifier: copy, RestoreTime }),
    );
    await place.reaches(copy, 'available');
    expect((await place.query(copy, 'SELECT n FROM kept ORDER BY n')).rows).toEqual([{ n: 1 }, { n: 2 }]);
    expect((await place.query(copy, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).rows).toEqual([{ rolsuper: false }]);
  },
  150_000,
);
