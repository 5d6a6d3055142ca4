/* oxlint-disable unicorn/no-thenable -- the input's `then` is a word: only a function there would make an await wait for it */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AddRoleToDBInstanceCommand, DescribeDBInstancesCommand, type DBInstance } from '@aws-sdk/client-rds';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { planSchema } from '../../../api/answers.ts';
import type { RunDetail } from '../../../control/contract.ts';
import { startHeart, type Heart } from '../../../sandbox/heart.ts';
import { sandboxConfiguration } from '../../../sandbox/configuration.ts';
import { beatsOn, judgeSwitch } from '../../../sandbox/demo/beats.ts';
import { startPgBouncer } from '../../../sandbox/pgbouncer.ts';
import { reconnecting, type Reconnecting } from '../../../sandbox/reconnecting.ts';
import { plannedCalls, recordedCall, type ToldCall } from '../../support/api-calls.ts';
import { ownFolder } from '../../sandbox/support.ts';
import { eventually } from '../../support/eventually.ts';
import { pooled } from '../../support/pooled.ts';
import { nameOf, rdsPlace } from '../../e2e/rds-place.ts';

const place = rdsPlace();

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function ended(connecting: Promise<pg.Client>): Promise<pg.Client> {
  const client = await connecting;
  endings.push(async () => await client.end().catch(() => undefined));
  return client;
}

/** A pooler before the database in use, which the inventory knows until the next test; how the application connects to it. */
async function throughPooler(): Promise<() => Promise<pg.Client>> {
  const { configure, orders } = place();
  const folder = await ownFolder();
  const { host, port } = orders.entry.server;
  const pooler = await startPgBouncer({
    ...{ directory: join(folder.path, 'pooler'), logFile: join(folder.path, 'log'), pidFile: join(folder.path, 'pid') },
    databases: { shop: { host, port, dbname: 'orders' } },
    users: { orders_app: orders.applicationPassword },
    // The pooler verifies as the application does: by the authority of the beginning.
    settings: { server_tls_sslmode: 'verify-full', server_tls_ca_file: orders.aws.root('eu-central-1', 'rds-ca-ecc384-g1') },
    path: sandboxConfiguration().path,
  });
  endings.push(folder.remove, async () => await pooler.stop());
  const at = { host: pooler.host, port: pooler.port };
  const admin = { user: pooler.adminUser, secret: { file: pooler.adminPasswordFile } };
  configure({ pooler: { kind: 'pgbouncer', sslmode: 'disable', alias: 'shop', users: [], ...at, configFile: pooler.configFile, admin } });
  return async () => {
    const client = new pg.Client({ ...at, user: 'orders_app', password: orders.applicationPassword, database: 'shop' });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
}

interface Writing {
  readonly heart: Heart;
  readonly writer: Reconnecting;
}

/** The application writes into a table of its own, and each of its rows places an order. */
async function writing(connect = place().orders.connectApplication): Promise<Writing> {
  const owner = await ended(place().orders.connect());
  await owner.query('DROP TABLE IF EXISTS beats');
  await owner.query(`CREATE TABLE beats (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL);
    CREATE OR REPLACE FUNCTION place() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO orders (total) VALUES (0); RETURN NULL; END';
    CREATE TRIGGER order_placed AFTER INSERT ON beats FOR EACH ROW EXECUTE FUNCTION place()`);
  const writer = reconnecting(connect);
  const heart = startHeart(writer, 'beats');
  endings.push(async () => {
    // It goes on trying until its connection is ended.
    const stopped = heart.stop().catch(() => undefined);
    await writer.end();
    await stopped;
  });
  await until(() => heart.beats.length > 5);
  return { heart, writer };
}

async function until(holds: () => boolean): Promise<void> {
  await eventually(async () => await Promise.resolve(holds() || undefined), 60_000);
}

const asks = (approval: string) => (now: RunDetail) => now.questions.some((one) => one.approval === approval);
const closed = (now: RunDetail): boolean => now.state === 'closed';
const stepOf = (now: RunDetail, id: string) => now.steps.find((one) => one.id === id);
const isAt = (id: string) => (now: RunDetail) => stepOf(now, id)?.state === 'running';

/** Asked for and restored, with the copy there to be looked at. */
async function restored({ heart }: Writing): Promise<{ run: string; target: Date }> {
  const { request, until: untilRun, agree } = place();
  const target = new Date(Math.ceil(Date.now() / 1_000) * 1_000);
  await until(() => heart.beats.some(({ at }) => at > target));
  const run = await request('pitr-restore', { moment: target.toISOString(), then: 'switch-over', keepOldDays: 3 });
  await agree(run);
  await untilRun(run, asks('approve-next'));
  return { run, target };
}

async function instances(): Promise<DBInstance[]> {
  return (await place().orders.client().send(new DescribeDBInstancesCommand({}))).DBInstances ?? [];
}

/** Who has which name: the one in use is known by what it was before the run. */
async function resourceOf(called: string): Promise<string | undefined> {
  return (await instances()).find((one) => one.DBInstanceIdentifier === called)?.DbiResourceId;
}

/** How the owner fares with `verify-full`, as it trusts the authority of the beginning alone: `served`, or why it was refused. */
async function verified(): Promise<string> {
  return await place()
    .orders.connect()
    .then(
      async (client) => {
        const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
        await client.end();
        return rows[0].ssl === true ? 'served' : 'not encrypted';
      },
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
    );
}

const evidenceOf = z.object({
  keptAs: z.string(),
  removeAfter: z.string(),
  switchedTo: z.string(),
  lostAfterTarget: z.number(),
  lost: z.unknown(),
});

/** AWS's clients leave out the thousandths of whole seconds. */
const textOf = (call: ToldCall): string => JSON.stringify(call).replaceAll('.000Z', 'Z');

/** Names, service and rows are as if nothing had been. */
async function asBefore(before: string | undefined, run: string, { heart }: Writing): Promise<void> {
  expect((await instances()).map((one) => [one.DBInstanceIdentifier, one.DbiResourceId])).toEqual([['orders', before]]);
  const beats = heart.beats.length;
  await until(() => heart.beats.length > beats + 3);
  const copy = await beatsOn(await ended(place().orders.connect()));
  const rows = new Set(copy.map(({ id }) => id));
  expect(heart.beats.slice(0, -1).filter(({ id }) => !rows.has(id))).toEqual([]);
  expect(await place().detail(run)).toMatchObject({ outcome: 'rolled-back', left: [] });
}

test('cancelled between the two names: the old one has its name and serves again, however long its name takes to be known', async () => {
  const { agree, until: untilRun, cancel, configure, attempts } = place();
  const before = await resourceOf('orders');
  const load = await writing();
  const { run } = await restored(load);
  await agree(run);
  await untilRun(run, isAt('rename-copy'));
  // Names are cached, for minutes: until then they lead nowhere.
  configure({ server: { port: 1 } });
  await cancel(run);
  const often = async () => (await place().detail(run)).state === 'closed' || (await attempts(run, 'recovery.liftFence')) > 9 || undefined;
  await eventually(often, 150_000, 500);
  configure({});
  await untilRun(run, closed);
  await asBefore(before, run, load);
});

test('rejected once the copy is there: it is removed, and nobody has noticed anything', async () => {
  const { until: untilRun, decide } = place();
  const before = await resourceOf('orders');
  const load = await writing();
  const { run } = await restored(load);
  const reconnects = load.writer.reconnects();
  await decide(run, 'grace', 'reject');
  await untilRun(run, closed);
  expect(load.writer.reconnects()).toBe(reconnects);
  await asBefore(before, run, load);
});

test('what does not verify right after the names are exchanged is taken back before people are asked, and they roll back', async () => {
  const { agree, until: untilRun, decide, orders } = place();
  const before = await resourceOf('orders');
  const load = await writing();
  const { run } = await restored(load);
  await agree(run);
  await untilRun(run, isAt('rename-copy'));
  const file = orders.entry.users[0]?.secret.file ?? '';
  await writeFile(file, 'not the password');
  const parked = await untilRun(run, (now) => now.state === 'parked');
  await writeFile(file, orders.applicationPassword);
  expect(parked.questions).toMatchObject([{ approval: 'verify-switched', choices: ['start-again', 'roll-back', 'abort'] }]);
  expect(await resourceOf('orders')).toBe(before);
  const beats = load.heart.beats.length;
  await until(() => load.heart.beats.length > beats + 3);
  await decide(run, 'grace', 'roll-back');
  await untilRun(run, closed);
  await asBefore(before, run, load);
});

test.each([
  { by: 'directly', connecting: async () => await Promise.resolve(place().orders.connectApplication), isHeld: false },
  ...(pooled ? [{ by: 'through PgBouncer, without an error', connecting: throughPooler, isHeld: true }] : []),
])(
  'under load ($by), with a worker killed between the two names: the copy serves, what is lost was said, and the old one has it',
  async ({ connecting, isHeld }) => {
    const { agree, until: untilRun, killTheWorker, orders, as, changingCalls } = place();
    const before = await resourceOf('orders');
    const role = { FeatureName: 's3Import', RoleArn: 'arn:aws:iam::123456789012:role/import' };
    await orders.client().send(new AddRoleToDBInstanceCommand({ DBInstanceIdentifier: 'orders', ...role }));
    const since = orders.aws.calls().length;
    const load = await writing(await connecting());
    expect(await verified()).toBe('served');
    const { heart, writer } = load;
    const { run, target } = await restored(load);
    // What no setting brings is said before people agree: in what they are asked for, and in the evidence.
    const second = await as('ada').get(`/v1/runs/${run.split('/').at(-1)}/plan`, planSchema);
    const next = second.steps.find((step) => step.id === 'approve-next');
    expect(next && 'notes' in next ? next.notes : []).toEqual([
      expect.stringMatching(/^NOT CARRIED OVER: AssociatedRoles is .*s3Import.*, and none on the copy\.$/),
    ]);
    expect((await place().detail(run)).evidence['compare-settings']).toMatchObject({ differences: [{ setting: 'AssociatedRoles' }] });
    await agree(run);
    await untilRun(run, isAt('rename-copy'));
    await killTheWorker();
    const done = await untilRun(run, closed);
    expect(await verified()).toBe('served');
    const letIn = evidenceOf.parse(done.evidence['let-in']);
    expect(done).toMatchObject({
      outcome: 'succeeded',
      evidence: {
        'set-passwords': { set: [], letIn: ['orders_app'] },
        'let-in': {
          keptAs: `orders-old-${nameOf(run).slice('steadyhand-'.length)}`,
          removeWith: 'remove-old',
          secondsWithoutWrites: expect.any(Number),
        },
      },
    });
    expect(Date.parse(letIn.removeAfter)).toBeGreaterThan(Date.now() + 86_400_000);
    const served = new Date(stepOf(done, 'let-in')?.startedAt ?? 0);
    await until(() => heart.beats.some(({ at }) => at > served));
    await heart.stop();
    expect(writer.reconnects() === 0).toBe(isHeld);

    const [copy, old] = [await ended(orders.connect()), await ended(orders.connectTo(letIn.keptAs))];
    const { lost, ...wrong } = judgeSwitch(heart.beats, { copy: await beatsOn(copy), old: await beatsOn(old) }, { target, served });
    expect(wrong).toEqual({ notKept: 0, missing: 0, tooLate: 0, inDoubt: expect.any(Number) });
    expect(lost.length).toBeGreaterThan(0);
    expect(letIn.lostAfterTarget).toBe(lost.length + wrong.inDoubt);

    expect(await resourceOf(letIn.keptAs)).toBe(before);
    expect(await resourceOf('orders')).toBe(letIn.switchedTo);
    const kept = (await instances()).find((one) => one.DBInstanceIdentifier === letIn.keptAs);
    const serving = (await instances()).find((one) => one.DBInstanceIdentifier === 'orders');
    expect(kept).toMatchObject({ CACertificateIdentifier: 'rds-ca-ecc384-g1', NetworkType: 'DUAL', DatabaseInsightsMode: 'advanced' });
    const carried = ['BackupRetentionPeriod', 'MultiAZ', 'DeletionProtection', 'VpcSecurityGroups', 'AllocatedStorage'] as const;
    const secure = [
      'CACertificateIdentifier',
      'NetworkType',
      'EngineLifecycleSupport',
      'MaxAllocatedStorage',
      'DatabaseInsightsMode',
    ] as const;
    for (const setting of [...carried, ...secure, 'PerformanceInsightsKMSKeyId'] as const)
      expect([setting, serving?.[setting]]).toEqual([setting, kept?.[setting]]);

    const plan = await as('ada').get(`/v1/runs/${run.split('/').at(-1)}/plan`, planSchema);
    expect(done.steps.map(({ id, state }) => [id, state])).toEqual(
      plan.steps.map((step) => [step.id, step.applies === false ? 'absent' : 'done']),
    );
    const fence = plan.steps.find((step) => step.id === 'fence');
    expect(JSON.stringify(fence)).toContain('WHAT IS LOST');
    const recorded = changingCalls(since).map(recordedCall).map(textOf);
    const commands = plan.steps.flatMap((step) => (step.applies === false ? [] : step.commands));
    const keys = ['restore-moment', 'own-backup', 'rename-old'].map((step) => `${run}/${step}/1`);
    const values = {
      tag: nameOf(run),
      run,
      password: '***',
      old: letIn.keptAs,
      remove_after: letIn.removeAfter,
      arn: kept?.DBInstanceArn ?? '',
    };
    const planned = new Set(keys.flatMap((key) => plannedCalls(commands, { ...values, key }).map(textOf)));
    expect(recorded.filter((call) => !planned.has(call))).toEqual([]);
    const renames = changingCalls(since).filter(({ parameters }) => 'NewDBInstanceIdentifier' in parameters);
    expect(renames.map(({ parameters }) => parameters['NewDBInstanceIdentifier'])).toEqual([letIn.keptAs, 'orders']);
    expect(orders.aws.effects().filter(({ action, resource }) => action === 'CreateDBSnapshot' && resource === nameOf(run))).toMatchObject([
      { count: 1 },
    ]);
  },
);
