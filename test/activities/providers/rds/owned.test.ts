import { AddTagsToResourceCommand, CreateDBSnapshotCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Aws } from '../../../../activities/aws/aws.ts';
import { createRdsProvider } from '../../../../activities/providers/rds/create-rds-provider.ts';
import type { OwnedLook } from '../../../../domain/leftover.ts';
import { tagOf } from '../../../../domain/run.ts';
import { newRunId } from '../../../support/attempt.ts';
import { eventually } from '../../../support/eventually.ts';
import { abroad, home, startRds, type RdsWorld } from '../../../support/providers/rds.ts';

let world: RdsWorld;
beforeAll(async () => {
  world = await startRds();
}, 120_000);
afterAll(async () => await world?.stop());

async function look(): Promise<OwnedLook> {
  const { owned } = world.provider;
  if (!owned) throw new Error('rds lists what is ours');
  return await owned.list('orders');
}

const nameOf = (run: string): string => tagOf(run).replace('_', '-');

async function snapshot(id: string, tags: Readonly<Record<string, string>>): Promise<void> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  await eventually(async () => {
    const asked = new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: id, Tags });
    return await world
      .client()
      .send(asked)
      .then(() => true as const)
      .catch((error: Error) => (error.name.startsWith('InvalidDBInstanceState') ? undefined : Promise.reject(error)));
  }, 30_000);
}

test('what is called after a run is listed with its step, not what only inherited its tags; of an old instance the day when it may go', async () => {
  const run = `backup-now/orders/${newRunId()}`;
  const removal = `remove-old/orders/${newRunId()}`;
  const tags = { 'steadyhand-run': run, 'steadyhand-key': `${run}/snapshot/2` };
  await snapshot(nameOf(run), tags);
  await snapshot('nightly-by-hand', tags);
  await snapshot(`${nameOf(removal)}-last`, tags);
  await snapshot('before-the-release', { team: 'orders' });
  const seen = await look();
  expect(seen.unseen).toEqual([]);
  expect(seen.objects.toSorted((one, other) => one.name.length - other.name.length)).toMatchObject([
    {
      ...{ kind: 'snapshot', name: nameOf(run), region: home, run, step: 'snapshot', removeAfter: null },
      byHand: `aws rds delete-db-snapshot --region ${home} --db-snapshot-identifier ${nameOf(run)}`,
    },
    { name: `${nameOf(removal)}-last`, run: removal.split('/').at(-1), step: null },
  ]);

  const arn = (await world.instance('orders'))?.DBInstanceArn;
  const Tags = Object.entries({ ...tags, 'steadyhand:remove-after': '2026-11-28' }).map(([Key, Value]) => ({ Key, Value }));
  await world.client().send(new AddTagsToResourceCommand({ ResourceName: arn, Tags }));
  const old = (await look()).objects.filter(({ kind }) => kind === 'instance');
  expect(old).toMatchObject([{ name: 'orders', run, removeAfter: '2026-11-28', since: expect.stringMatching(/^20/) as string }]);
  // It has served: what removes it by hand leaves a last snapshot.
  expect(old[0]?.byHand).toContain('--no-skip-final-snapshot --final-db-snapshot-identifier orders-last --no-delete-automated-backups');
}, 120_000);

test('a region that may not be listed is told, and the other one is listed all the same', async () => {
  const before = await look();
  const mended = world.aws.fault({ action: 'DescribeDBSnapshots', region: abroad, kind: 'denied', times: 20 });
  const seen = await look();
  mended();
  expect(seen.unseen).toEqual([expect.stringContaining(`rds:DescribeDBSnapshots in ${abroad}`)]);
  expect(seen.objects).toEqual(before.objects);
});

test('more than a page is listed to its end', async () => {
  const runs = [1, 2, 3].map(() => `backup-now/orders/${newRunId()}`);
  const asked: string[] = [];
  const aws: Aws = {
    call: async (region, action, input) => {
      const page = 'Marker' in input ? Number(input.Marker) : 0;
      asked.push(`${region} ${action} ${page}`);
      const snapshots = runs.slice(page, page + 1).map((run) => ({ DBSnapshotIdentifier: nameOf(run), DBSnapshotArn: `${region}:${run}` }));
      const more = page < 2 ? { Marker: String(page + 1) } : {};
      // The half of the answers that is read of either action.
      return await Promise.resolve({ DBSnapshots: action === 'rds:DescribeDBSnapshots' ? snapshots : [], ...more } as never);
    },
  };
  const { owned } = createRdsProvider(world.servers, aws);
  const seen = await owned?.list('orders');
  expect(seen?.objects.map(({ region, name }) => [region, name])).toEqual(
    [home, abroad].flatMap((region) => runs.map((run) => [region, nameOf(run)])),
  );
  expect(asked.length).toBe(12);
});
