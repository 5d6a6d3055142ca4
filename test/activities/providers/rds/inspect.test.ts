import {
  CreateDBInstanceCommand,
  DescribeAccountAttributesCommand,
  CreateDBParameterGroupCommand,
  CreateDBSnapshotCommand,
  type DBSnapshot,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  ModifyDBParameterGroupCommand,
} from '@aws-sdk/client-rds';
import { DisableKeyCommand, EnableKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { BackupOrder } from '../../../../activities/providers/backup-facts.ts';
import type { Provider } from '../../../../activities/providers/provider.ts';
import { engineVersion } from '../../../../activities/providers/rds/kit.ts';
import type { RdsEntry } from '../../../../domain/rds-entry.ts';
import type { DatabaseEntry } from '../../../../domain/inventory.ts';
import { createJournal, newRunId } from '../../../support/attempt.ts';
import { eventually } from '../../../support/eventually.ts';
import { abroad, home, parameterGroup, startRds, type RdsWorld } from '../../../support/providers/rds.ts';

let world: RdsWorld;
let verbs: Required<Provider>;
let entry: DatabaseEntry;
let looked: number;
beforeAll(async () => {
  world = await startRds({ source: { StorageEncrypted: true } });
  // Its suite holds that all groups are there.
  verbs = world.provider as Required<Provider>;
  entry = world.servers.entry('orders');
  // The SDK is loaded by the first call.
  await verbs.restore.window('orders');
}, 120_000);
afterAll(async () => await world?.stop());
beforeEach(() => {
  world.configure(() => entry);
  looked = world.aws.calls().length;
});
/** Whatever was refused, it was found by looking. */
afterEach(() => {
  const calls = world.aws
    .calls()
    .slice(looked)
    .filter(({ accessKeyId, action }) => accessKeyId && !/^(?:Describe|List|Get)/.test(action));
  expect(calls.filter(({ action }) => /^(?:Restore|Copy|CreateDBSnapshot|ModifyDBInstance|Delete)/.test(action))).toEqual([]);
});

const change = (how: (rds: RdsEntry) => Partial<RdsEntry>): void =>
  world.configure((one) => ({ ...one, ...(one.rds ? { rds: { ...one.rds, ...how(one.rds) } } : {}) }));

const now = (): string => new Date(Date.now() - 1_000).toISOString().replace(/\.\d+Z$/, 'Z');

/** What it is refused with, in under a second. */
async function refusal(order: Omit<BackupOrder, 'database'>): Promise<{ code: string; message: string }> {
  const start = performance.now();
  const failure = await verbs.restore.inspect({ database: 'orders', ...order }).then(
    () => Promise.reject(new Error('it was accepted')),
    (error: unknown) => error,
  );
  expect(performance.now() - start).toBeLessThan(1_000);
  // Whatever inspect raises is a Failure; anything else has no code and fails what is expected.
  return failure as { code: string; message: string };
}

const moment = (): BackupOrder['from'] => ({ kind: 'moment', at: now() });

test('a good order is answered with facts that are equal the next time', async () => {
  const window = await eventually(async () => (await verbs.restore.window('orders')) ?? undefined);
  const order: BackupOrder = { database: 'orders', run: createJournal().run, from: { kind: 'moment', at: window.latest }, copy: 'new' };
  const first = await verbs.restore.inspect(order);
  expect((await verbs.restore.inspect(order)).binding).toEqual(first.binding);
  expect(first.binding).toMatchObject({
    source: { id: 'orders', region: home, encrypted: true },
    restore: { region: home },
    copy: { region: abroad, snapshot: null, key: 'alias/orders' },
    settings: { DBInstanceClass: 'db.t4g.micro', BackupRetentionPeriod: 7, VpcSecurityGroupIds: ['sg-orders'] },
    quarantine: { DBParameterGroupName: 'quarantine-16', VpcSecurityGroupIds: ['sg-quarantine'] },
  });
});

test('what the run has restored already needs neither a window nor room for another one, and is found; nobody else’s is', async () => {
  const { run, tag } = createJournal();
  const order: BackupOrder = { database: 'orders', run, from: { kind: 'moment', at: '2020-01-01T00:00:00Z' } };
  expect(await refusal(order)).toMatchObject({ code: 'input-invalid', message: expect.stringContaining('can be restored from') as string });
  const id = tag.replace('_', '-');
  const made = await world.create(id, { Tags: [{ Key: 'steadyhand-run', Value: run }] });
  const facts = await verbs.restore.inspect(order);
  const { Address: host, Port: port } = made.Endpoint ?? {};
  expect(await verbs.restore.find(facts, run)).toEqual({ id, resource: made.DbiResourceId, host, port });
  expect(await verbs.restore.find(facts, createJournal().run)).toBeNull();
  expect(facts.binding.source.asMainUser).toBe(true);
});

test('no backups kept, no instance, a quarantine that is not named', { timeout: 60_000 }, async () => {
  await world.create('bare', { BackupRetentionPeriod: 0 });
  looked = world.aws.calls().length;
  change(() => ({ instance: 'bare' }));
  expect(await refusal({ from: moment() })).toMatchObject({
    code: 'plan-impossible',
    message: expect.stringContaining('0 days') as string,
  });
  change(() => ({ instance: 'nobody' }));
  expect(await refusal({ from: moment() })).toMatchObject({
    code: 'plan-impossible',
    message: expect.stringContaining('"nobody"') as string,
  });
  change(() => ({ instance: 'orders', quarantine: undefined }));
  expect(await refusal({ from: moment() })).toMatchObject({
    code: 'plan-impossible',
    message: expect.stringContaining('rds.quarantine') as string,
  });
});

test('groups that are missing, of another version, or would let things run: all told at once', async () => {
  const group = { DBParameterGroupFamily: 'postgres16', Description: 'for tests' };
  await world.client().send(new CreateDBParameterGroupCommand({ ...group, DBParameterGroupName: 'lively-16' }));
  const cron = {
    ParameterName: 'shared_preload_libraries',
    ParameterValue: 'pg_stat_statements,pg_cron',
    ApplyMethod: 'pending-reboot' as const,
  };
  await world.client().send(new ModifyDBParameterGroupCommand({ DBParameterGroupName: 'lively-16', Parameters: [cron] }));
  await parameterGroup(world.client(), 'quarantine-18', '0', 'postgres18');
  const quarantined = async (parameterGroupName: string, subnetGroup = 'default'): Promise<string> => {
    change(() => ({ quarantine: { parameterGroup: parameterGroupName, securityGroups: ['sg-quarantine'], subnetGroup } }));
    const { code, message } = await refusal({ from: moment() });
    expect(code).toBe('plan-impossible');
    return message;
  };
  expect(await quarantined('missing', 'nowhere')).toMatch(/no parameter group "missing"[^]*no subnet group "nowhere"/);
  expect(await quarantined('quarantine-18')).toContain('is for postgres18, not for postgres16');
  expect(await quarantined('lively-16')).toMatch(/max_logical_replication_workers = 0[^]*pg_cron/);
});

test('a snapshot that is not there, a name that is taken', { timeout: 60_000 }, async () => {
  expect(await refusal({ from: { kind: 'snapshot', id: 'nothing' } })).toMatchObject({
    message: expect.stringContaining('no snapshot "nothing"') as string,
  });
  expect(await refusal({ copy: { id: 'nothing' } })).toMatchObject({ code: 'plan-impossible' });
  const { run, tag } = createJournal(`pitr-restore/orders/${newRunId()}`);
  await world.client().send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: tag.replace('_', '-'),
      Engine: 'postgres',
      EngineVersion: '16',
      DBInstanceClass: 'db.t4g.micro',
      AllocatedStorage: 20,
      MasterUsername: 'master',
      MasterUserPassword: 'correct-horse',
    }),
  );
  const { message } = await refusal({ run, from: moment() });
  expect(message).toContain(`there is an instance "${tag.replace('_', '-')}"`);
});

test(
  'a snapshot of another instance, by its name and by what it is, is refused; one of this instance is told',
  { timeout: 120_000 },
  async () => {
    const rds = world.client();
    const snapshot = async (of: string, id: string): Promise<DBSnapshot> => {
      await rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: of, DBSnapshotIdentifier: id }));
      return await eventually(async () => {
        const { DBSnapshots = [] } = await rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }));
        return DBSnapshots.find(({ Status }) => Status === 'available');
      }, 60_000);
    };
    const { DbiResourceId: billing = '' } = await world.create('billing');
    const [ofOrders] = [await snapshot('orders', 'of-orders'), await snapshot('billing', 'of-billing')];
    looked = world.aws.calls().length;
    const from = { kind: 'snapshot', id: 'of-billing' } as const;
    const source = (await world.instance('orders'))?.DbiResourceId ?? '';
    expect(await refusal({ from })).toMatchObject({
      code: 'plan-impossible',
      message: expect.stringContaining(`"of-billing" in ${home} is of billing (${billing}), not of orders (${source})`) as string,
    });
    const { observed } = await verbs.restore.inspect({ database: 'orders', from: { kind: 'snapshot', id: 'of-orders' } });
    const takenAt = ofOrders.SnapshotCreateTime?.toISOString();
    expect(observed.snapshot).toEqual({ of: 'orders', resource: source, takenAt });
    // Called otherwise by now.
    await rds.send(
      new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'billing', NewDBInstanceIdentifier: 'invoices', ApplyImmediately: true }),
    );
    await eventually(async () => ((await world.instance('invoices'))?.DBInstanceStatus === 'available' ? true : undefined), 60_000);
    looked = world.aws.calls().length;
    change(() => ({ instance: 'invoices' }));
    expect((await verbs.restore.inspect({ database: 'orders', from })).observed.snapshot).toMatchObject({
      of: 'billing',
      resource: billing,
    });
    // Of one that was called so before.
    await world.create('billing');
    looked = world.aws.calls().length;
    change(() => ({ instance: 'billing' }));
    expect((await verbs.restore.inspect({ database: 'orders', from })).observed.snapshot).toMatchObject({
      of: 'billing',
      resource: billing,
    });
  },
);

test('the other region: a key that is not named, missing, disabled or going; no region at all', async () => {
  const kms = new KMSClient({ region: abroad, endpoint: world.aws.endpoint, credentials: world.aws.credentials });
  const keyed = async (key: string | undefined): Promise<string> => {
    change(({ dr }) => ({ dr: dr && { ...dr, key } }));
    const { code, message } = await refusal({ copy: 'new' });
    expect(code).toBe('plan-impossible');
    return message;
  };
  expect(await keyed(undefined)).toContain('names no key in eu-west-1');
  expect(await keyed('alias/missing')).toContain('no key "alias/missing" in eu-west-1');
  const KeyId = 'alias/orders';
  await kms.send(new DisableKeyCommand({ KeyId }));
  expect(await keyed(KeyId)).toContain('cannot be used: it is Disabled');
  expect(await verbs.copy.kit('orders')).toMatchObject([{ evidence: expect.stringContaining('Disabled') as string }]);
  await kms.send(new EnableKeyCommand({ KeyId }));
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
  expect(await keyed(KeyId)).toContain('it is PendingDeletion');
  change(() => ({ dr: undefined }));
  expect(await refusal({ copy: 'new' })).toMatchObject({ code: 'plan-impossible', message: expect.stringContaining('rds.dr') as string });
});

test('a version that is offered no more, a quota that would not do', async () => {
  // The stand-in offers what it has; another answer is told to the look itself.
  const aws = { call: () => Promise.resolve({ DBEngineVersions: [] }) };
  // Only this one call is made of it.
  const rds = { aws, servers: world.servers, pace: { lookAgainMs: 0, graceMs: 0 } } as unknown as Parameters<typeof engineVersion>[0];
  expect(await engineVersion(rds, home, '9.6')).toMatchObject([
    { code: 'plan-impossible', evidence: expect.stringContaining('offers PostgreSQL 9.6 no more') as string },
  ]);
  const huge = {
    DBInstanceIdentifier: 'huge',
    Engine: 'postgres',
    EngineVersion: '16',
    DBInstanceClass: 'db.t4g.micro',
    AllocatedStorage: 65_536,
    MasterUsername: 'master',
    MasterUserPassword: 'correct-horse',
    BackupRetentionPeriod: 0,
  };
  await world.client().send(new CreateDBInstanceCommand(huge));
  const { AccountQuotas = [] } = await world.client().send(new DescribeAccountAttributesCommand({}));
  const { Used: used = 0, Max: max = 0 } = AccountQuotas.find(({ AccountQuotaName: called }) => called === 'AllocatedStorage') ?? {};
  const rest = { ...huge, DBInstanceIdentifier: 'huger', AllocatedStorage: max - used - 10 };
  await world.client().send(new CreateDBInstanceCommand(rest));
  looked = world.aws.calls().length;
  expect(await refusal({ from: moment() })).toMatchObject({
    code: 'quota-exceeded',
    message: expect.stringContaining('AllocatedStorage') as string,
  });
});
