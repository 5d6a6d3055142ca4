import {
  DescribeDBInstanceAutomatedBackupsCommand,
  ModifyDBInstanceCommand,
  type CreateDBInstanceCommandInput,
  type DBInstance,
} from '@aws-sdk/client-rds';
import { expect, test } from 'vitest';
import { auditSchema } from '../../../api/answers.ts';
import { plannedCalls, recordedCall } from '../../support/api-calls.ts';
import { bothAgree, dayIn, instanceOf, makeOld } from '../../e2e/old-instance.ts';
import { nameOf, rdsPlace } from '../../e2e/rds-place.ts';

const place = rdsPlace();
const runbook = 'remove-old';

const instance = async (id: string): Promise<DBInstance | undefined> => await instanceOf(place().orders, id);
const old = async (of = {}, input: Partial<CreateDBInstanceCommandInput> = {}): Promise<string> => await makeOld(place().orders, of, input);

const removals = (id: string): number =>
  place()
    .orders.aws.effects()
    .find(({ action, resource }) => action === 'DeleteDBInstance' && resource === id)?.count ?? 0;

test('an old instance that is due goes by approval, as planned, and leaves its last snapshot and its backups', async () => {
  const { request, until, plan, as, orders, changingCalls } = place();
  const id = await old();
  const forecast = await plan(runbook, { instance: id });
  const since = orders.aws.calls().length;
  const run = await request(runbook, { instance: id });
  await bothAgree(place(), run);
  const closed = await until(run, (now) => now.state === 'closed');
  const last = `${nameOf(run)}-last`;
  expect(closed).toMatchObject({ outcome: 'succeeded', evidence: { 'last-snapshot': { id: last, status: 'available' } } });
  const commands = forecast.steps.flatMap((step) => (step.applies === false ? [] : step.commands));
  expect(changingCalls(since).map(recordedCall)).toEqual(plannedCalls(commands, { tag: nameOf(run) }));
  expect([await instance(id), removals(id)]).toEqual([undefined, 1]);
  const kept = await orders.client().send(new DescribeDBInstanceAutomatedBackupsCommand({}));
  expect(kept.DBInstanceAutomatedBackups).toContainEqual(expect.objectContaining({ DBInstanceIdentifier: id, Status: 'retained' }));
  expect(await as('ada').get('/v1/audit/verify', auditSchema)).toMatchObject({ bad: null });
});

test('a cancel before the call leaves the old instance; after it, it changes nothing', async () => {
  const { request, until, cancel } = place();
  const id = await old();
  const first = await request(runbook, { instance: id });
  await until(first, (now) => now.questions.length > 0);
  await cancel(first);
  expect(await until(first, (now) => now.state === 'closed')).toMatchObject({ outcome: 'refused' });
  expect([(await instance(id))?.DBInstanceStatus, removals(id)]).toEqual(['available', 0]);
  const run = await request(runbook, { instance: id });
  await bothAgree(place(), run);
  await until(run, () => removals(id) === 1);
  await expect(cancel(run)).rejects.toThrow('past its point of no return');
  expect(await until(run, (now) => now.state === 'closed')).toMatchObject({ outcome: 'succeeded' });
  expect(await instance(id)).toBeUndefined();
});

test('what must not go blocks the plan, all of it at once, with what to do', async () => {
  const { plan, blocking, orders } = place();
  const since = orders.aws.calls().length;
  const [due, another, ordinary] = await Promise.all([
    old({ due: dayIn(3) }, { DeletionProtection: true }),
    old({ database: 'billing' }),
    old({}, { Tags: [] }),
  ]);
  const refused = async (input: object, text: string): Promise<void> =>
    expect(await blocking(runbook, { ...input })).toMatch(new RegExp(text));
  await refused({ instance: due }, `kept until ${dayIn(3)}.*early=true.*\\n.*protected.*--no-deletion-protection`);
  await refused({ instance: another }, 'by the database "billing"');
  await refused({ instance: ordinary }, 'does not bear the tags of a switch-over');
  await refused({ instance: 'orders' }, 'does not bear the tags of a switch-over');
  await expect(plan(runbook, { instance: 'nowhere' })).rejects.toMatchObject({
    code: 'plan-impossible',
    message: expect.stringContaining('there is no instance "nowhere"') as string,
  });
  await orders.client().send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: due, DeletionProtection: false }));
  expect(await blocking(runbook, { instance: due })).toMatch(/^old instance: .* kept until .*$/);
  expect(await blocking(runbook, { instance: due, early: true })).toBe('');
  expect(
    orders.aws
      .calls()
      .slice(since)
      .filter(({ action }) => action === 'DeleteDBInstance'),
  ).toEqual([]);
});

test('one that the inventory points to blocks the plan, by its address too', async () => {
  const { blocking, configure } = place();
  const id = await old();
  const { Endpoint } = (await instance(id)) ?? {};
  configure({ server: { host: Endpoint?.Address, port: Endpoint?.Port } });
  expect(await blocking(runbook, { instance: id })).toContain(`the inventory's "orders-aws" points to "${id}"`);
});
