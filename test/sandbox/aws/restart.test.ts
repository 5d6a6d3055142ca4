import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CreateDBInstanceCommand, DescribeDBInstancesCommand, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startAws } from '../../../sandbox/aws/aws.ts';
import { eventually } from '../../support/eventually.ts';
import { processesIn } from '../support.ts';
import { awsPlace, clientOf, home, ordinary, type AwsPlace } from './place.ts';

let place: AwsPlace;
beforeAll(async () => {
  place = await awsPlace();
}, 60_000);
afterAll(() => place.end());

it('a stand-in that is started again goes on: instances, data, unfinished work, effects and calls', { timeout: 120_000 }, async () => {
  const before = await place.create('orders');
  await place.query('orders', 'CREATE TABLE kept AS SELECT 1 AS n');
  await place.rds.send(new CreateDBInstanceCommand({ ...ordinary, DBInstanceIdentifier: 'half' }));
  expect((await place.describe('half')).DBInstanceStatus).toBe('creating');
  const [calls, trusted] = [place.aws.calls().length, readFileSync(place.aws.bundle, 'utf8')];
  await place.aws.stop();
  expect(processesIn(place.directory)).toEqual([]);

  const again = await startAws({ directory: place.directory, factor: 300 });
  try {
    expect([again.endpoint, again.credentials]).toEqual([place.aws.endpoint, place.aws.credentials]);
    expect(again.calls().length).toBe(calls);
    expect(await place.describe('orders')).toMatchObject({ DbiResourceId: before.DbiResourceId, Endpoint: before.Endpoint });
    expect((await place.query('orders', 'SELECT n FROM kept')).rows).toEqual([{ n: 1 }]);
    expect(readFileSync(again.bundle, 'utf8')).toBe(trusted);
    await (await place.connect('orders', { ca: trusted })).end();
    await place.reaches('half', 'available');
    expect((await place.query('half', 'SELECT current_user AS me')).rows).toEqual([{ me: 'master' }]);
    expect(
      again
        .effects()
        .filter(({ action }) => action === 'CreateDBInstance')
        .map(({ resource, count }) => [resource, count]),
    ).toEqual([
      ['orders', 1],
      ['half', 1],
    ]);
    const latest = (await place.describe('orders')).LatestRestorableTime ?? new Date();
    await eventually(async () => ((await place.describe('orders')).LatestRestorableTime ?? latest) > latest || undefined);
  } finally {
    await again.stop();
  }
  expect(processesIn(place.directory)).toEqual([]);
});

it('what a killed one left running is ended by the next, whose clusters have all that was committed', { timeout: 120_000 }, async () => {
  const holder = spawn(process.execPath, [fileURLToPath(new URL('hold.ts', import.meta.url)), place.directory], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(holder.stdout, 'data');
  await place.query('orders', 'INSERT INTO kept VALUES (2)');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(processesIn(place.directory).length).toBeGreaterThan(0);
  const next = await startAws({ directory: place.directory, factor: 300 });
  try {
    const { DBInstances } = await clientOf(next, home).send(new DescribeDBInstancesCommand({}));
    expect(DBInstances?.map(({ DBInstanceStatus }) => DBInstanceStatus)).toEqual(['available', 'available']);
    expect((await place.query('orders', 'SELECT n FROM kept ORDER BY n')).rows).toEqual([{ n: 1 }, { n: 2 }]);
  } finally {
    await next.stop();
  }
  expect(processesIn(place.directory)).toEqual([]);
});

it(
  'one that is stopped in the middle of a rename goes on with it: same instance, new name and endpoint',
  { timeout: 120_000 },
  async () => {
    const first = await startAws({ directory: place.directory, factor: 300 });
    const before = await place.describe('half');
    const rename = { DBInstanceIdentifier: 'half', NewDBInstanceIdentifier: 'whole', ApplyImmediately: true };
    await place.rds.send(new ModifyDBInstanceCommand(rename));
    await first.stop();
    const next = await startAws({ directory: place.directory, factor: 300 });
    try {
      await eventually(async () => (await place.describe('whole')).DBInstanceStatus === 'available' || undefined);
      const after = await place.describe('whole');
      expect(after.DbiResourceId).toBe(before.DbiResourceId);
      expect(after.Endpoint?.Port).not.toBe(before.Endpoint?.Port);
      expect((await place.query('whole', 'SELECT current_user AS me')).rows).toEqual([{ me: 'master' }]);
      await expect(place.describe('half')).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
    } finally {
      await next.stop();
    }
  },
);
