/* oxlint-disable unicorn/no-thenable -- the input's `then` is a word: only a function there would make an await wait for it */
import { CreateDBSnapshotCommand, DescribeDBInstancesCommand, DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import type pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { judgedSchema, planSchema } from '../../api/answers.ts';
import type { RunDetail } from '../../control/contract.ts';
import { failureOf } from '../control/support.ts';
import { plannedCalls, recordedCall, type ToldCall } from '../support/api-calls.ts';
import { eventually } from '../support/eventually.ts';
import { startHeart, type Heart } from '../../sandbox/heart.ts';
import { nameOf, rdsPlace, type RdsPlace } from './rds-place.ts';

const place = rdsPlace();

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function owner(at?: { host: string; port: number }): Promise<pg.Client> {
  const { connect, connectAt } = place().orders;
  const client = at ? await connectAt(at) : await connect();
  endings.push(async () => await client.end());
  return client;
}

/** The ids in a table, in order. */
async function idsIn(client: pg.Client, table: string): Promise<number[]> {
  const { rows } = await client.query<{ id: string }>(`SELECT id::text FROM ${table} t ORDER BY t.id`);
  return rows.map((row) => Number(row.id));
}

const acknowledged = (heart: Heart, table: string, until = new Date(8.64e15)): number[] =>
  heart.beats.filter((beat) => beat.table === table && beat.at <= until).map((beat) => beat.id);

const asks = (approval: string) => (now: RunDetail) => now.questions.some((one) => one.approval === approval);
const closed = (now: RunDetail): boolean => now.state === 'closed';
const addressIn = z.object({ host: z.string(), port: z.number() });

async function instancesOf({ orders }: RdsPlace, run: string): Promise<string[]> {
  const { DBInstances = [] } = await orders.client().send(new DescribeDBInstancesCommand({}));
  return DBInstances.flatMap(({ DBInstanceIdentifier: id = '' }) => (id === nameOf(run) ? [id] : []));
}

/** AWS's clients leave out the thousandths of whole seconds. */
const textOf = (call: ToldCall): string => JSON.stringify(call).replaceAll('.000Z', 'Z');

test('a table that was dropped under load is back as it was at the moment before, and what was written since stays', async () => {
  const { request, until, decide, effects, changingCalls, orders, as } = place();
  const live = await owner();
  await live.query('CREATE TABLE beats (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL)');
  await live.query('CREATE TABLE parcels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL)');
  const heart = startHeart(await owner(), 'beats', 'parcels');
  endings.push(async () => await heart.stop());
  await eventually(async () => (await Promise.resolve(heart.beats.length)) > 20 || undefined);
  const target = new Date(Math.ceil(Date.now() / 1_000) * 1_000);
  await eventually(
    async () =>
      (await Promise.resolve(acknowledged(heart, 'parcels').length > acknowledged(heart, 'parcels', target).length + 2)) || undefined,
  );
  heart.into('beats');
  await eventually(async () => await live.query('DROP TABLE parcels').then(() => true as const));
  const before = orders.aws.calls().length;

  const input = { moment: target.toISOString().replace('.000', ''), then: 'copy-back', tables: [{ name: 'parcels' }] };
  const run = await request('pitr-restore', input);
  await until(run, asks('approve-restore'));
  expect(changingCalls(before)).toEqual([]);
  await decide(run, 'grace', 'approve');
  const asked = await until(run, asks('approve-next'));
  const copy = await owner(addressIn.parse(asked.evidence['available']));
  for (const table of ['beats', 'parcels']) expect(await idsIn(copy, table)).toEqual(acknowledged(heart, table, target));
  await copy.end();
  expect(await live.query(`SELECT to_regclass('parcels') AS there`)).toMatchObject({ rows: [{ there: null }] });

  await decide(run, 'grace', 'approve');
  const done = await until(run, closed);
  const back = acknowledged(heart, 'parcels', target);
  expect(done).toMatchObject({
    outcome: 'succeeded',
    evidence: {
      'compare-settings': { differences: [] },
      prove: { target: target.toISOString().replace('.000Z', '.000000Z'), verified: 'restored-and-queried' },
      'copy-aside': { tables: 1, rows: back.length },
      'bring-back': { tablesBack: 1, rowsBack: back.length },
      'compare-after': {
        target: input.moment,
        rowsBack: back.length,
        lostAfterTarget: 0,
        secondsAvailable: expect.any(Number),
        secondsHydrated: expect.any(Number),
        verification: { catalog: 'passed', tables: 'passed', indexes: 'passed', assertions: 'passed', 'newest-row': 'passed' },
      },
    },
  });
  await heart.stop();
  // Nothing that was acknowledged since is lost: what only the dropped table had is the price of the second.
  expect(await idsIn(live, 'beats')).toEqual(acknowledged(heart, 'beats'));
  expect(await idsIn(live, 'parcels')).toEqual(back);
  expect(await live.query(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'steadyhand%'`)).toMatchObject({ rows: [] });
  expect(await instancesOf(place(), run)).toEqual([]);

  const plan = await as('ada').get(`/v1/runs/${run.split('/').at(-1)}/plan`, planSchema);
  expect(done.steps.map(({ id, state }) => [id, state])).toEqual(
    plan.steps.map((step) => [step.id, step.applies === false ? 'absent' : 'done']),
  );
  const recorded = changingCalls(before).map(recordedCall).map(textOf);
  const commands = plan.steps.flatMap((step) => (step.applies === false ? [] : step.commands));
  const planned = (of: typeof commands): string[] =>
    plannedCalls(of, { tag: nameOf(run), run, key: `${run}/restore-moment/1`, password: '***' }).map(textOf);
  expect(recorded.filter((call) => !planned(commands).includes(call))).toEqual([]);
  const always = planned(commands.filter((command) => command.when === undefined));
  expect(recorded.filter((call) => always.includes(call))).toEqual(always);
  expect(effects('RestoreDBInstanceToPointInTime', run)).toBe(1);
  expect(effects('DeleteDBInstance', run)).toBe(1);
});

test('the moment before an accident is found in the log when nobody names it, stands in the plan, and is what is restored', async () => {
  const { request, until, agree, plan } = place();
  const live = await owner();
  const dropped = async (): Promise<void> => {
    await live.query('DROP TABLE letters');
    await live.query('DROP TABLE letters').catch(() => undefined);
  };
  await live.query('CREATE TABLE letters AS SELECT clock_timestamp() AS at');
  const [{ at: writtenAt } = { at: new Date() }] = (await live.query<{ at: Date }>('SELECT at FROM letters')).rows;
  // A log has whole seconds: the one before the accident must have seen the row.
  await eventually(async () => (await Promise.resolve(Date.now() - writtenAt.getTime() > 2_500)) || undefined);
  await dropped();
  const input = { before: { dropped: { name: 'letters' } }, then: 'throw-away' };
  const forecast = await plan('pitr-restore', input);
  const applying = forecast.steps.flatMap((one) => (one.applies === false ? [] : [one]));
  const notes = (applying.find(({ id }) => id === 'await-moment')?.notes ?? []).join('\n');
  const [, moment = ''] = /^(\S+Z) is the last whole second before public\.letters was dropped/.exec(notes) ?? [];
  expect(notes).toContain('DROP TABLE letters');
  expect(notes).toMatch(/a second costs about [\d.]+ (?:commits|rows)/);
  expect(applying.find(({ id }) => id === 'restore-moment')?.commands[0]?.text).toContain(
    `--restore-time '${moment.replace('Z', '.000Z')}'`,
  );
  await expect(plan('pitr-restore', { before: { truncated: { name: 'letters' } } })).rejects.toThrow(
    'was truncated: the log of orders-aws',
  );

  const run = await request('pitr-restore', input);
  await agree(run);
  const asked = await until(run, asks('approve-next'));
  const copy = await owner(addressIn.parse(asked.evidence['available']));
  expect((await copy.query('SELECT FROM letters')).rowCount).toBe(1);
  await copy.end();
  // A later accident is another one: the moment stands.
  await live.query('CREATE TABLE letters ()');
  await dropped();
  await agree(run);
  expect(await until(run, closed)).toMatchObject({
    outcome: 'succeeded',
    evidence: { 'await-moment': { moment: moment.replace('Z', '.000Z') }, prove: { target: moment.replace('Z', '.000000Z') } },
  });
});

test('rejected once the copy is there: it is removed, and nothing is left', async () => {
  const { request, until, agree, as, orders } = place();
  const { rows } = await (await owner()).query<{ now: Date }>(`SELECT date_trunc('second', now()) AS now`);
  const run = await request('pitr-restore', { moment: rows[0]?.now.toISOString(), then: 'throw-away' });
  await agree(run);
  const asked = await until(run, asks('approve-next'));
  expect(await instancesOf(place(), run)).toEqual([nameOf(run)]);
  const [question] = asked.questions;
  const rejection = {
    approval: question?.approval,
    opening: question?.opening,
    digest: question?.digest,
    choice: 'reject',
    reason: 'it was another table',
  };
  await as('grace').post(`/v1/runs/${run.split('/').at(-1)}/decisions`, rejection, judgedSchema);
  const done = await until(run, closed);
  expect(done).toMatchObject({ outcome: 'rolled-back', left: [] });
  expect(await instancesOf(place(), run)).toEqual([]);
  const made = orders.aws.effects().filter((one) => one.resource === nameOf(run));
  expect(made.filter(({ action }) => action !== 'ModifyDBInstance').map(({ action, count }) => [action, count])).toEqual([
    ['RestoreDBInstanceToPointInTime', 1],
    ['DeleteDBInstance', 1],
  ]);
});

test('from a snapshot, kept beside: it stays, with its address in the evidence, and the run is over', async () => {
  const { request, until, agree, orders } = place();
  const id = { DBSnapshotIdentifier: 'before-the-release' };
  await orders.client().send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', ...id }));
  await eventually(async () => {
    const { DBSnapshots } = await orders.client().send(new DescribeDBSnapshotsCommand(id));
    return DBSnapshots?.[0]?.Status === 'available' || undefined;
  }, 60_000);
  const planned = await place().plan('pitr-restore', { snapshot: id.DBSnapshotIdentifier });
  expect(JSON.stringify(planned)).toMatch(/The snapshot is of orders \(db-\w+\), taken at 20\d\d-/);
  const run = await request('pitr-restore', { snapshot: id.DBSnapshotIdentifier });
  await agree(run);
  await until(run, asks('approve-next'));
  await agree(run);
  const done = await until(run, closed);
  expect(done).toMatchObject({ outcome: 'succeeded', evidence: { prove: { target: null, verified: 'restored-and-queried' } } });
  expect(done.steps.filter(({ state }) => state === 'absent').map((step) => step.id)).toEqual([
    ...['await-moment', 'restore-moment', 'copy-aside', 'bring-back', 'compare-after', 'own-backup', 'backed-up', 'set-passwords', 'fence'],
    ...['rename-old', 'rename-copy', 'named', 'open-copy', 'verify-switched', 'let-in', 'remove-restored', 'remove-aside'],
  ]);
  const copy = await owner(addressIn.parse(done.evidence['available']));
  expect((await idsIn(copy, 'orders')).length).toBe(5_000);
});

const inAnHour = `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`;
const copyBack = { then: 'copy-back', moment: '2026-01-01T00:00:00Z' };

test.each([
  ['a moment without a zone', { moment: '2026-01-01T00:00:00' }, 'input-invalid', 'it has no time zone'],
  ['a moment to come', { moment: inAnHour }, 'input-invalid', 'still to come'],
  ['a moment before the first backup', { moment: '2026-01-01T00:00:00Z' }, 'finding', 'can be restored from'],
  ['parts of a second', { moment: '2026-01-01T00:00:00.5Z' }, 'input-invalid', 'whole seconds'],
  ['neither moment nor snapshot', {}, 'input-invalid', 'name a moment, or a snapshot, or'],
  ['both', { moment: '2026-01-01T00:00:00Z', snapshot: 'x' }, 'input-invalid', 'not both'],
  ['a snapshot that is not there', { snapshot: 'never-made' }, 'finding', 'there is no snapshot "never-made"'],
  ['a switch that copies tables', { ...copyBack, then: 'switch-over', tables: [{ name: 'orders' }] }, 'input-invalid', 'leave them out'],
  ['nothing to copy back', copyBack, 'input-invalid', 'name the tables'],
  ['tables that nobody copies', { ...copyBack, then: 'keep-beside', tables: [{ name: 'orders' }] }, 'input-invalid', 'leave them out'],
  ['a condition that leaves its place', { ...copyBack, tables: [{ name: 'orders', where: 'true; DROP' }] }, 'finding', 'semicolon'],
] as const)('%s is refused when the plan is made, and nothing is', async (_, input, code, says) => {
  const { plan, blocking, changingCalls, orders } = place();
  const before = orders.aws.calls().length;
  const refused = code === 'finding' ? await blocking('pitr-restore', input) : (await failureOf(code, plan('pitr-restore', input))).message;
  expect(refused).toContain(says);
  expect(changingCalls(before)).toEqual([]);
});

test('a provider that restores nothing is refused in the plan', async () => {
  const refused = await failureOf('plan-impossible', place().plan('pitr-restore', { moment: '2026-01-01T00:00:00Z' }, 'orders'));
  expect(refused.message).toContain('streaming, which has no restore');
});
