import { readFileSync } from 'node:fs';
import { AddRoleToDBInstanceCommand, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BackupFacts } from '../../../../activities/providers/backup-facts.ts';
import type { Provider } from '../../../../activities/providers/provider.ts';
import { instanceFields, notCarried } from '../../../../activities/providers/rds/instance-fields.ts';
import { readSettings } from '../../../../activities/providers/rds/settings.ts';
import { createJournal, newRunId } from '../../../support/attempt.ts';
import { eventually } from '../../../support/eventually.ts';
import { startRds, type RdsWorld } from '../../../support/providers/rds.ts';
import { settled } from '../../../support/settled.ts';

let world: RdsWorld;
beforeAll(async () => {
  world = await startRds({
    source: {
      CACertificateIdentifier: 'rds-ca-ecc384-g1',
      NetworkType: 'DUAL',
      EngineLifecycleSupport: 'open-source-rds-extended-support-disabled',
      MaxAllocatedStorage: 60,
      DedicatedLogVolume: true,
      EnablePerformanceInsights: true,
      PerformanceInsightsRetentionPeriod: 465,
      PerformanceInsightsKMSKeyId: 'arn:aws:kms:eu-central-1:123456789012:key/insights',
      DatabaseInsightsMode: 'advanced',
      MonitoringInterval: 60,
      MonitoringRoleArn: 'arn:aws:iam::123456789012:role/rds-monitoring-role',
    },
  });
}, 120_000);
afterAll(async () => await world?.stop());

test('every field of the SDK’s DBInstance has a decision', () => {
  const types = readFileSync(
    new URL(import.meta.resolve('@aws-sdk/client-rds/package.json')).pathname.replace(/package\.json$/, 'dist-types/models/models_0.d.ts'),
    'utf8',
  );
  const [, body = ''] = /export interface DBInstance \{([\s\S]*?)\n\}/.exec(types) ?? [];
  const fields = [...body.matchAll(/^ {4}(\w+)\??: /gm)].map(([, name = '']) => name);
  expect(fields.length).toBeGreaterThan(90);
  expect(Object.keys(instanceFields).toSorted()).toEqual(fields.toSorted());
});

test('what a field is carried by is a setting, and every setting carries a field', () => {
  const carried = Object.values(instanceFields).flatMap((one) => (typeof one === 'object' && 'carried' in one ? one.carried : []));
  expect(carried.toSorted()).toEqual(Object.keys(readSettings({})).toSorted());
});

test('a list, a structure and a flag are compared by what they say; a status and what waits on the copy play no part', () => {
  const role = { RoleArn: 'arn:aws:iam::123456789012:role/s3', FeatureName: 's3Import' };
  expect(notCarried({ AssociatedRoles: [{ ...role, Status: 'PENDING' }] }, { AssociatedRoles: [{ ...role, Status: 'ACTIVE' }] })).toEqual(
    [],
  );
  const certificate = (CAIdentifier: string, year: number) => ({ CertificateDetails: { CAIdentifier, ValidTill: new Date(year, 0) } });
  expect(notCarried(certificate('rds-ca-ecc384-g1', 2027), certificate('rds-ca-ecc384-g1', 2028))).toEqual([]);
  expect(notCarried({ CustomerOwnedIpEnabled: false, ProcessorFeatures: [] }, { PendingModifiedValues: { MultiAZ: true } })).toEqual([]);
  expect(
    notCarried({ AssociatedRoles: [role], LicenseModel: 'a', PendingModifiedValues: { DBInstanceClass: 'db.r6g.large' } }, {}),
  ).toEqual([
    { setting: 'PendingModifiedValues', planned: '{"DBInstanceClass":"db.r6g.large"}', found: null },
    { setting: 'LicenseModel', planned: 'a', found: null },
    { setting: 'AssociatedRoles', planned: ['{"FeatureName":"s3Import","RoleArn":"arn:aws:iam::123456789012:role/s3"}'], found: null },
  ]);
});

test('a copy that is to take over has all of the source, or says what it has not before people agree', { timeout: 180_000 }, async () => {
  // Its suite holds that all groups are there.
  const verbs = world.provider as Required<Provider>;
  const RoleArn = 'arn:aws:iam::123456789012:role/import';
  await world.client().send(new AddRoleToDBInstanceCommand({ DBInstanceIdentifier: 'orders', FeatureName: 's3Import', RoleArn }));
  const window = await eventually(async () => (await verbs.restore.window('orders')) ?? undefined, 60_000);
  const journal = createJournal(`pitr-restore/orders/${newRunId()}`);
  const from = { kind: 'moment', at: `${window.latest.slice(0, 19)}Z` } as const;
  const inspected = async (): Promise<BackupFacts> =>
    await verbs.restore.inspect({ database: 'orders', run: journal.run, from, keepOldDays: 7 });
  const facts = await inspected();
  expect(facts.binding.swap).toEqual({ keepOldDays: 7, replicas: [] });
  await verbs.restore.restoreToPointInTime(facts, journal.attempt('restore'));
  await settled(journal, 'available', (attempt) => verbs.restore.awaitAvailable(facts, attempt));
  await settled(journal, 'settings', (attempt) => verbs.settings.applySettings(facts, attempt));
  await settled(journal, 'applied', (attempt) => verbs.restore.awaitAvailable(facts, attempt));
  const [source, copy] = [await world.instance('orders'), await world.instance(journal.tag.replace('_', '-'))];
  for (const field of [
    'CACertificateIdentifier',
    'NetworkType',
    'EngineLifecycleSupport',
    'MaxAllocatedStorage',
    'DedicatedLogVolume',
    'AllocatedStorage',
    'PerformanceInsightsKMSKeyId',
    'DatabaseInsightsMode',
    'MonitoringRoleArn',
  ] as const)
    expect([field, copy?.[field]]).toEqual([field, source?.[field]]);
  const lost = [{ setting: 'AssociatedRoles', planned: [`{"FeatureName":"s3Import","RoleArn":"${RoleArn}"}`], found: null }];
  expect((await inspected()).binding.swap?.notCarried).toEqual(lost);
  expect(await verbs.settings.compareSettings(facts, journal.attempt('compare'))).toEqual(lost);
  await settled(journal, 'restore', (attempt) => verbs.remove.deleteRestored(facts, attempt), { undo: true });
});

test('an authority that the source has, but whose certificate it does not serve yet, is said to be another on the copy', async () => {
  await world.client().send(
    new ModifyDBInstanceCommand({
      ...{ DBInstanceIdentifier: 'orders', CACertificateIdentifier: 'rds-ca-rsa2048-g1' },
      ...{ CertificateRotationRestart: false, ApplyImmediately: true },
    }),
  );
  const source = await eventually(async () => {
    const seen = await world.instance('orders');
    return seen?.DBInstanceStatus === 'available' && seen.CACertificateIdentifier === 'rds-ca-rsa2048-g1' ? seen : undefined;
  }, 30_000);
  // As a restore makes it with the settings of that source.
  const copy = await world.create('like-orders', { CACertificateIdentifier: source.CACertificateIdentifier });
  expect(notCarried({ CertificateDetails: source.CertificateDetails }, { CertificateDetails: copy.CertificateDetails })).toEqual([
    {
      setting: 'CertificateDetails',
      planned: '{"CAIdentifier":"rds-ca-ecc384-g1"}',
      found: '{"CAIdentifier":"rds-ca-rsa2048-g1"}',
    },
  ]);
});

test('the stand-in refuses what AWS refuses', async () => {
  const modify = async (change: object): Promise<unknown> =>
    await world
      .client()
      .send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'orders', ...change }))
      .then(
        () => 'nothing',
        (error: unknown) => (error as Error).name,
      );
  expect(await modify({ CACertificateIdentifier: 'rds-ca-2019' })).toBe('CertificateNotFoundFault');
  expect(await modify({ NetworkType: 'IPV6' })).toBe('InvalidParameterValue');
  expect(await modify({ PerformanceInsightsKMSKeyId: 'arn:aws:kms:eu-central-1:123456789012:key/other' })).toBe(
    'InvalidParameterCombination',
  );
  expect(await modify({ PerformanceInsightsRetentionPeriod: 7 })).toBe('InvalidParameterCombination');
  expect(await modify({ MaxAllocatedStorage: 20 })).toBe('InvalidParameterCombination');
});
