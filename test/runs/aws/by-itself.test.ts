import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeDBSnapshotsCommand, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isQueued } from '../../../sandbox/aws/rds/snapshot-jobs.ts';
import type { Job } from '../../../sandbox/aws/job.ts';
import { eventually } from '../../support/eventually.ts';
import { awsPlace, type AwsPlace } from '../../sandbox/aws/place.ts';

let place: AwsPlace;
beforeAll(async () => {
  // A day in 3 s, a week in 20.
  place = await awsPlace({ factor: 30_000 });
  await place.create('orders', { BackupRetentionPeriod: 1 });
}, 60_000);
afterAll(() => place.end());

it('a day brings a backup and takes the oldest with its WAL, a week what waits for the window', { timeout: 150_000 }, async () => {
  const backups = async (): Promise<string[]> => {
    const { DBSnapshots } = await place.rds.send(new DescribeDBSnapshotsCommand({ SnapshotType: 'automated' }));
    return (DBSnapshots ?? []).map(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier ?? '').toSorted();
  };
  const archive = join(place.directory, 'archive', (await place.describe('orders')).DbiResourceId ?? '');
  const [first, wal] = [await backups(), (await readdir(archive)).toSorted()];
  await eventually(async () => {
    await place.rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'orders', AllocatedStorage: 40 }));
    return true;
  });
  expect(await place.describe('orders')).toMatchObject({ AllocatedStorage: 20, PendingModifiedValues: { AllocatedStorage: 40 } });
  await eventually(async () => (await place.describe('orders')).AllocatedStorage === 40 || undefined, 60_000);
  expect((await place.describe('orders')).PendingModifiedValues).toEqual({});
  await eventually(async () => !(await backups()).includes(first[0] ?? '') || undefined, 60_000);
  expect((await backups()).length).toBeGreaterThan(0);
  await eventually(async () => !(await readdir(archive)).includes(wal[0] ?? '') || undefined);
});

const copyJob = (number: number, source: string, region = 'eu-west-1'): Job => ({
  number,
  kind: 'copy',
  region,
  resource: `snap-${number}`,
  input: { source },
  phase: 0,
  since: undefined,
});

it('a copy of a source that is being copied into the region waits, one of another source does not', () => {
  const jobs = [copyJob(0, 'source-0'), copyJob(1, 'source-1')];
  const waits = (job: Job): boolean => isQueued([...jobs, job], job);
  expect(waits(copyJob(2, 'another'))).toBe(false);
  expect(waits(copyJob(2, 'source-1'))).toBe(true);
  expect(waits(copyJob(2, 'source-1', 'eu-central-1'))).toBe(false);
});
