/* oxlint-disable unicorn/no-thenable -- the input's `then` is a word: only a function there would make an await wait for it */
import { DescribeDBInstancesCommand, DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { clearingSchema, janitorSchema } from '../../../api/janitor-answers.ts';
import { eventsSchema } from '../../../api/answers.ts';
import type { RunDetail } from '../../../control/contract.ts';
import { runNameOf } from '../../../domain/run.ts';
import { eventually } from '../../support/eventually.ts';
import { nameOf, rdsPlace, type RdsPlace } from '../../e2e/rds-place.ts';

const place = rdsPlace();

type Found = z.infer<typeof janitorSchema>;

const look = async ({ as }: RdsPlace): Promise<Found> => await as('ada').get('/v1/janitor?database=orders-aws', janitorSchema);

/** All that anybody ever made at AWS beside the database itself, by kind, region and name. */
async function whatIsThere({ orders }: RdsPlace): Promise<string[]> {
  const found = await Promise.all(
    ['eu-central-1', 'eu-west-1'].map(async (region) => {
      const client = orders.client(region);
      const { DBInstances = [] } = await client.send(new DescribeDBInstancesCommand({}));
      const { DBSnapshots = [] } = await client.send(new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }));
      return [
        ...DBInstances.map((one) => `instance ${region} ${one.DBInstanceIdentifier}`),
        ...DBSnapshots.map((one) => `snapshot ${region} ${one.DBSnapshotIdentifier}`),
      ];
    }),
  );
  return found.flat().filter((one) => one !== 'instance eu-central-1 orders');
}

const told = (objects: readonly { kind: string; region: string | null; name: string }[]): string[] =>
  objects.map(({ kind, region, name }) => `${kind} ${region} ${name}`).toSorted();

const done = (step: string) => (now: RunDetail) => now.steps.find(({ id }) => id === step)?.state === 'done';

async function clearedUp({ as }: RdsPlace, run: string): Promise<unknown> {
  const { id } = runNameOf(run);
  const { asked } = await as('ada').post(`/v1/janitor/${id}`, { reason: 'OPS-7' }, clearingSchema);
  const cleared = await eventually(
    async () => {
      const { events } = await as('ada').get(`/v1/runs/${id}/events?limit=500&after=${asked}`, eventsSchema);
      return events.find((event) => event.kind === 'run.cleared');
    },
    120_000,
    250,
  );
  return cleared.data['left'];
}

const moment = async ({ orders }: RdsPlace): Promise<string> => {
  const latest = await eventually(async () => {
    const { DBInstances } = await orders.client().send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'orders' }));
    return DBInstances?.[0]?.LatestRestorableTime;
  }, 30_000);
  return latest.toISOString().replace('.000', '');
};

test.each([
  {
    ...{ title: 'a restore while its copy is being made', runbook: 'pitr-restore', until: done('restore-moment'), things: 1 },
    input: async (here: RdsPlace) => ({ moment: await moment(here), then: 'keep-beside' }),
  },
  {
    ...{ title: 'a copy abroad on its way', runbook: 'dr-snapshot-copy', until: done('copy'), things: 2 },
    input: async () => await Promise.resolve({ snapshot: 'new', prune: false }),
  },
  {
    ...{ title: 'a copy abroad in its drill', runbook: 'dr-snapshot-copy', until: done('drill'), things: 3 },
    input: async () => await Promise.resolve({ snapshot: 'new', prune: false }),
  },
])('$title, terminated: the janitor lists just what is there, and takes it back', async ({ runbook, input, until, things }) => {
  const here = place();
  expect(await whatIsThere(here)).toEqual([]);
  const run = await here.request(runbook, await input(here));
  await here.agree(run);
  await here.until(run, until);
  // At work: nobody's business.
  expect(told((await look(here)).objects)).toEqual([]);
  await here.terminate(run);
  expect(await here.until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'needs-attention' });
  const found = await look(here);
  expect(told(found.objects)).toEqual((await whatIsThere(here)).toSorted());
  expect(found.objects.length).toBe(things);
  expect(found).toMatchObject({ runs: [{ run, safe: true }], kept: [], unseen: [] });
  const command = `steadyhand janitor --remove ${runNameOf(run).id} --reason '…'`;
  for (const one of found.objects) expect(one).toMatchObject({ run, owner: 'closed', command });
  expect(await clearedUp(here, run)).toEqual([]);
  expect(await whatIsThere(here)).toEqual([]);
  expect(await look(here)).toEqual({ runs: [], objects: [], kept: [], unseen: [] });
});

test('what runs keep on purpose is told apart, with what it is', async () => {
  const here = place();
  const backup = await here.request('backup-now');
  expect(await here.until(backup, (now) => now.state === 'closed')).toMatchObject({ outcome: 'succeeded' });
  const copy = await here.request('dr-snapshot-copy', { verification: 'none', prune: false });
  await here.agree(copy);
  expect(await here.until(copy, (now) => now.state === 'closed')).toMatchObject({ outcome: 'succeeded' });
  const found = await look(here);
  expect(found).toMatchObject({ runs: [], objects: [], unseen: [] });
  expect(told(found.kept)).toEqual((await whatIsThere(here)).toSorted());
  expect(Object.fromEntries(found.kept.map(({ name, region, what }) => [`${name} in ${region}`, what]))).toEqual({
    [`${nameOf(backup)} in eu-central-1`]: 'a backup',
    [`${nameOf(copy)} in eu-west-1`]: 'a copy for the day when a region is lost',
  });
});
