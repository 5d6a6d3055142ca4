import {
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  ModifyDBParameterGroupCommand,
} from '@aws-sdk/client-rds';
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { auditSchema, freezeSchema } from '../../../api/answers.ts';
import { proofsSchema } from '../../../api/proof-answers.ts';
import type { Command } from '../../../domain/command.ts';
import { plannedCalls, recordedCall } from '../../support/api-calls.ts';
import { nameOf, rdsPlace, type RdsPlace } from '../../e2e/rds-place.ts';

const place = rdsPlace();
const runbook = 'dr-snapshot-copy';
const abroad = 'eu-west-1';

/** Asks, agrees, and waits for the end. */
async function copied({ request, agree, until }: RdsPlace, input: Readonly<Record<string, unknown>>): Promise<string> {
  const run = await request(runbook, input);
  await agree(run);
  expect(await until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'succeeded' });
  return run;
}

async function whatIsAbroad({ orders }: RdsPlace): Promise<{ copies: string[]; instances: string[] }> {
  const client = orders.client(abroad);
  const { DBSnapshots: copies = [] } = await client.send(new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }));
  const { DBInstances: instances = [] } = await client.send(new DescribeDBInstancesCommand({}));
  return {
    copies: copies.map((one) => one.DBSnapshotIdentifier ?? '').toSorted(),
    instances: instances.map((one) => one.DBInstanceIdentifier ?? ''),
  };
}

test('a new snapshot is copied, proved by a drill that is torn down again, and takes the place of what nobody proved', async () => {
  const here = place();
  const first = await copied(here, { verification: 'none' });
  const before = here.orders.aws.calls().length;
  const forecast = await here.plan(runbook, { snapshot: 'new' });
  const run = await copied(here, { snapshot: 'new' });
  const tag = nameOf(run);
  const { evidence } = await here.detail(run);
  expect(evidence).toMatchObject({
    'copy-whole': {
      id: tag,
      region: abroad,
      status: 'available',
      encryptedWith: expect.stringContaining(`arn:aws:kms:${abroad}:`) as string,
    },
    verify: {
      newestRowAt: expect.stringMatching(/^20/) as string,
      // The database has one of every kind of relation and index, partitioned ones with keys among them.
      tiers: expect.arrayContaining([
        expect.objectContaining({ tier: 'tables', state: 'passed' }),
        expect.objectContaining({ tier: 'indexes', state: 'passed' }),
      ]) as unknown,
    },
    prove: { verified: 'restored-and-queried' },
  });
  // Such a check only warns.
  expect(JSON.stringify(evidence['verify'])).not.toContain('could not be checked');
  expect(evidence['evidence']).toEqual({
    source: 'orders-aws',
    destinationRegion: abroad,
    encryptedWith: expect.stringContaining(`arn:aws:kms:${abroad}:`) as string,
    verified: 'restored-and-queried',
    newestRowAt: expect.stringMatching(/^20/) as string,
    pruned: [],
  });
  expect(await whatIsAbroad(here)).toEqual({ copies: [nameOf(first), tag].toSorted(), instances: [] });
  expect(await snapshotsAtHome(here)).not.toContain(tag);
  for (const action of ['CreateDBSnapshot', 'CopyDBSnapshot', 'RestoreDBInstanceFromDBSnapshot', 'DeleteDBInstance', 'DeleteDBSnapshot']) {
    expect([action, here.effects(action, run)]).toEqual([action, 1]);
  }
  expect(here.changingCalls(before).map(recordedCall)).toEqual(callsOf(forecast.steps, run));
  await anOldOneGoes(here, first, run);
  expect(await here.as('ada').get('/v1/audit/verify', auditSchema)).toMatchObject({ bad: null });
});

async function snapshotsAtHome({ orders }: RdsPlace): Promise<string[]> {
  const { DBSnapshots: found = [] } = await orders.client().send(new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }));
  return found.map((one) => one.DBSnapshotIdentifier ?? '');
}

/** Its own copy is not counted: it was the plan before it that had the first one go. */
async function anOldOneGoes(here: RdsPlace, first: string, good: string): Promise<void> {
  const forecast = await here.plan(runbook, { verification: 'none' });
  const prune = forecast.steps.find(({ id }) => id === 'prune');
  expect(prune).toMatchObject({
    commands: [{ text: `aws rds delete-db-snapshot --region ${abroad} --db-snapshot-identifier ${nameOf(first)}` }],
    notes: expect.arrayContaining([
      expect.stringMatching(`^goes: ${nameOf(first)} .*never proved`),
      expect.stringMatching(`^stays: ${nameOf(good)} `),
    ]) as string[],
  });
  const last = await copied(here, { verification: 'none' });
  const { evidence } = await here.detail(last);
  expect(evidence['prune']).toEqual({ pruned: [nameOf(first)], stayed: [] });
  expect(evidence['evidence']).toMatchObject({ verified: 'none', newestRowAt: null, pruned: [nameOf(first)] });
  expect((await whatIsAbroad(here)).copies).toEqual([nameOf(good), nameOf(last)].toSorted());
  const { proofs } = await here.as('ada').get('/v1/proofs?database=orders-aws', proofsSchema);
  expect(proofs.map(({ backup, verified }) => [backup, verified])).toEqual([
    [nameOf(last), 'none'],
    [nameOf(good), 'restored-and-queried'],
    [nameOf(first), 'none'],
  ]);
}

interface Step {
  readonly id: string;
  readonly applies?: boolean | undefined;
  readonly commands?: readonly Command[] | undefined;
}

/** What the plan says that is called, step by step. */
function callsOf(steps: readonly Step[], run: string): ReturnType<typeof plannedCalls> {
  const snapshot = `arn:aws:rds:eu-central-1:123456789012:snapshot:${nameOf(run)}`;
  return steps.flatMap((step) =>
    plannedCalls(step.commands ?? [], { tag: nameOf(run), run, snapshot, password: '***', key: `${run}/${step.id}/1` }),
  );
}

test('a password that was changed since the snapshot: the drill gets the one of now, and passes', async () => {
  const here = place();
  const { entry } = here.orders;
  // The snapshot that AWS took by itself is of before there was a table.
  here.configure({ verification: {} });
  const next = 'the-password-of-later-1';
  const change = { DBInstanceIdentifier: entry.rds.instance, MasterUserPassword: next, ApplyImmediately: true };
  await here.orders.client().send(new ModifyDBInstanceCommand(change));
  writeFileSync(entry.server.secret.file, next);
  const run = await copied(here, { prune: false });
  const { evidence, steps } = await here.detail(run);
  expect(evidence['evidence']).toMatchObject({ verified: 'restored-and-queried', pruned: [] });
  expect(steps.find(({ id }) => id === 'set-password')?.state).toBe('done');
});

test('a cancel in the middle of the drill leaves nothing', async () => {
  const here = place();
  const before = await whatIsAbroad(here);
  const run = await here.request(runbook);
  await here.agree(run);
  await here.until(run, () => here.effects('RestoreDBInstanceFromDBSnapshot', run) === 1);
  await here.cancel(run);
  expect(await here.until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'rolled-back' });
  expect(await whatIsAbroad(here)).toEqual(before);
});

test('answers that are lost, and workers that are killed, make nothing twice', async () => {
  const here = place();
  const { aws } = here.orders;
  const run = await here.request(runbook, { snapshot: 'new', prune: false });
  const changes = ['CreateDBSnapshot', 'CopyDBSnapshot', 'RestoreDBInstanceFromDBSnapshot'];
  for (const action of [...changes, 'DeleteDBInstance']) aws.fault({ action, kind: 'lost' });
  await here.agree(run);
  for (const action of changes) {
    await here.until(run, () => here.effects(action, run) === 1);
    await here.killTheWorker();
  }
  expect(await here.until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'succeeded' });
  for (const action of [...changes, 'DeleteDBInstance']) expect([action, here.effects(action, run)]).toEqual([action, 1]);
  expect((await whatIsAbroad(here)).instances).toEqual([]);
});

test('what fails its verification stays until people have decided, and goes with the copy then', async () => {
  const here = place();
  const before = await whatIsAbroad(here);
  here.configure({ verification: { assertions: [{ name: 'there are no orders', sql: 'SELECT count(*) = 0 FROM orders' }] } });
  const run = await here.request(runbook);
  await here.agree(run);
  const parked = await here.until(run, (now) => now.state === 'parked');
  expect(parked.failure).toMatchObject({ code: 'verification-failed', message: expect.stringContaining('there are no orders') as string });
  expect((await whatIsAbroad(here)).instances).toEqual([nameOf(run)]);
  await here.decide(run, 'grace', 'roll-back');
  expect(await here.until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'rolled-back' });
  expect(await whatIsAbroad(here)).toEqual(before);
});

test('a freeze that begins while the drill stands there holds it up no longer than needed: it is torn down, and the run ends', async () => {
  const here = place();
  const run = await here.request(runbook, { snapshot: 'new', prune: false });
  await here.agree(run);
  await here.until(run, () => here.effects('RestoreDBInstanceFromDBSnapshot', run) === 1);
  const grace = here.as('grace');
  const on = await grace.post('/v1/freezes', { database: 'orders-aws', reason: 'the closing' }, freezeSchema);
  expect(await here.until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'succeeded' });
  expect((await whatIsAbroad(here)).instances).toEqual([]);
  expect(await snapshotsAtHome(here)).not.toContain(nameOf(run));
  await grace.post(`/v1/freezes/${on.id}/lift`, { reason: 'a test' }, freezeSchema);
});

test('what the drill lacks is put right, and the run starts again with the drill: it ends well, and the copy is made once', async () => {
  const here = place();
  const client = here.orders.client(abroad);
  const connections = async (ParameterValue: string): Promise<void> => {
    const Parameters = [{ ParameterName: 'max_connections', ParameterValue, ApplyMethod: 'pending-reboot' as const }];
    await client.send(new ModifyDBParameterGroupCommand({ DBParameterGroupName: 'quarantine-16', Parameters }));
  };
  here.configure({ verification: { assertions: [{ name: 'room for 40', sql: "SELECT current_setting('max_connections')::int >= 40" }] } });
  await connections('30');
  const run = await here.request(runbook, { prune: false });
  await here.agree(run);
  const parked = await here.until(run, (now) => now.state === 'parked');
  expect(parked.failure).toMatchObject({ code: 'verification-failed', facts: { againFrom: 'drill' } });
  await connections('50');
  await here.decide(run, 'grace', 'start-again');
  expect(await here.until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'succeeded' });
  expect((await here.detail(run)).evidence['evidence']).toMatchObject({ verified: 'restored-and-queried' });
  const times = ['CopyDBSnapshot', 'RestoreDBInstanceFromDBSnapshot', 'DeleteDBInstance'].map((action) => here.effects(action, run));
  expect(times).toEqual([1, 2, 2]);
  expect((await whatIsAbroad(here)).instances).toEqual([]);
});

test('a kit that is not whole blocks the plan, all that is missing at once, and nothing is made', async () => {
  const here = place();
  const before = here.orders.aws.calls().length;
  here.configure({ dr: { key: 'alias/nobodys', subnetGroup: 'none' } });
  const blocking = await here.blocking(runbook);
  for (const text of ['there is no key "alias/nobodys" in eu-west-1', 'no subnet group "none"']) expect(blocking).toContain(text);
  const run = await here.request(runbook);
  expect(await here.until(run, (now) => now.state === 'closed')).toMatchObject({
    outcome: 'refused',
    failure: { code: 'plan-impossible' },
  });
  expect(here.changingCalls(before)).toEqual([]);
});
