import { DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import { expect, test } from 'vitest';
import { auditSchema } from '../../api/answers.ts';
import { plannedCalls, recordedCall } from '../support/api-calls.ts';
import { nameOf, rdsPlace } from './rds-place.ts';

const place = rdsPlace();

test('a snapshot is made once, as the plan says, and is whole in the end', async () => {
  const { request, until, plan, as, changingCalls, effects, orders } = place();
  const forecast = await plan('backup-now');
  const before = orders.aws.calls().length;
  const run = await request('backup-now');
  const closed = await until(run, (now) => now.state === 'closed');
  const tag = nameOf(run);
  expect(closed).toMatchObject({ outcome: 'succeeded', evidence: { whole: { id: tag, status: 'available', automated: false } } });
  const commands = forecast.steps.flatMap((step) => (step.applies === false ? [] : step.commands));
  expect(changingCalls(before).map(recordedCall)).toEqual(plannedCalls(commands, { tag, run, key: `${run}/snapshot/1` }));
  expect(effects('CreateDBSnapshot', run)).toBe(1);
  const { DBSnapshots: made } = await orders.client().send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: tag }));
  expect(made).toMatchObject([{ Status: 'available', DBInstanceIdentifier: 'orders' }]);
  expect(await as('ada').get('/v1/audit/verify', auditSchema)).toMatchObject({ bad: null });
});

test('a provider that makes no snapshots is refused in the plan', async () => {
  const asked = place().plan('backup-now', {}, 'orders');
  await expect(asked).rejects.toMatchObject({ code: 'plan-impossible', message: expect.stringContaining('streaming') as string });
});

test('a cancel while the snapshot is being made leaves none', async () => {
  const { request, until, cancel, effects } = place();
  const run = await request('backup-now');
  await until(run, () => effects('CreateDBSnapshot', run) === 1);
  await cancel(run);
  expect(await until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'rolled-back' });
  expect(effects('DeleteDBSnapshot', run)).toBe(1);
});
