import { expect, test } from 'vitest';
import { backupWork } from '../../../../activities/backup/contract.ts';
import type { BackupFacts } from '../../../../activities/providers/backup-facts.ts';
import { applySettings, setMainPassword } from '../../../../activities/providers/rds/apply-settings.ts';
import { awaitReady } from '../../../../activities/providers/rds/restore.ts';
import { momentOf } from '../../../../activities/providers/rds/moment.ts';
import { createJournal } from '../../../support/attempt.ts';

type Rds = Parameters<typeof awaitReady>[0];

const source = {
  id: 'orders',
  arn: 'arn:aws:rds:eu-central-1:123456789012:db:orders',
  resource: 'db-1',
  region: 'eu-central-1',
  engine: 'postgres',
  version: '16.4',
  encrypted: false,
  asMainUser: true,
};
const binding = { provider: 'rds', database: 'orders', source, restore: null, copy: null, settings: {}, quarantine: {} };
const facts: BackupFacts = { binding, observed: { bytes: 0, window: null, takenAt: null } };

/** What a look at an instance in that state ends with. */
async function looked(status: string, PendingModifiedValues: object = {}): Promise<string> {
  const DBInstances = [{ DBInstanceIdentifier: 'orders', DbiResourceId: 'db-1', DBInstanceStatus: status, PendingModifiedValues }];
  // Nothing but this one call is made of it.
  const rds = { aws: { call: () => Promise.resolve({ DBInstances }) }, pace: { lookAgainMs: 10, graceMs: 0 } } as unknown as Rds;
  return await awaitReady(rds, facts, createJournal().attempt('ready')).then(
    () => 'ready',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'no failure'),
  );
}

test.for([
  ['A5: wait', 'backing-up', 'not-yet'],
  ['A5: wait', 'modifying', 'not-yet'],
  ['A5: stop', 'failed', 'provider-refused'],
  ['stop', 'incompatible-parameters', 'provider-refused'],
  ['stop', 'storage-full', 'provider-refused'],
  ['stop', 'inaccessible-encryption-credentials', 'provider-refused'],
  ['a state that nobody knows may pass', 'converting-to-something', 'not-yet'],
  ['go on', 'available', 'ready'],
  ['go on', 'storage-optimization', 'ready'],
] as const)('%s: %s is %s', async ([, status, ends]) => {
  expect(await looked(status)).toBe(ends);
});

test('a main password that is still to come is waited for, other changes that are pending are not', async () => {
  expect(await looked('available', { MasterUserPassword: '****' })).toBe('not-yet');
  expect(await looked('available', { AllocatedStorage: 40 })).toBe('ready');
});

test.for([
  ['applySettings', 'configuring-enhanced-monitoring', 'not-yet'],
  ['setMainPassword', 'modifying', 'not-yet'],
  ['setMainPassword', 'incompatible-parameters', 'provider-refused'],
] as const)('%s on an own instance that is %s: %s, and nothing is asked of it', async ([verb, DBInstanceStatus, ends]) => {
  const journal = createJournal();
  const asked: string[] = [];
  const instance = { DBInstanceStatus, MasterUsername: 'master', TagList: [{ Key: 'steadyhand-run', Value: journal.run }] };
  const call = async (_region: string, action: string): Promise<unknown> => {
    asked.push(action);
    return await Promise.resolve({ DBInstances: [instance] });
  };
  const servers = { entry: () => ({ server: { user: 'master', secret: {} } }), secret: () => Promise.resolve('a password') };
  // Nothing else is made of it.
  const rds = { aws: { call }, servers, pace: { lookAgainMs: 10, graceMs: 0 } } as unknown as Rds;
  await expect({ applySettings, setMainPassword }[verb](rds, facts, journal.attempt('settings'))).rejects.toMatchObject({ code: ends });
  expect([asked, journal.intents.size]).toEqual([['rds:DescribeDBInstances'], 0]);
  // It is looked for again as often as it takes, not a few times.
  expect(backupWork[verb]).toBe('wait');
});

const now = new Date('2026-11-21T18:04:05Z');

test.for([
  ['2026-11-21T18:04:05Z', '2026-11-21T18:04:05.000Z'],
  ['2026-11-21 19:04:05+01:00', '2026-11-21T18:04:05.000Z'],
  ['2026-11-21T18:04:05.000Z', '2026-11-21T18:04:05.000Z'],
  ['2026-11-21T18:04Z', '2026-11-21T18:04:00.000Z'],
] as const)('the moment %s is %s', ([text, moment]) => {
  expect(momentOf(text, now).toISOString()).toBe(moment);
});

test.for([
  ['2026-11-21T18:04:06Z', 'still to come'],
  ['2026-11-21T18:04:05', 'no time zone'],
  ['2026-11-21T18:04:04.250Z', 'whole seconds'],
  ['2026-02-31', 'no date and time'],
  ['2026-02-31T10:00:00Z', 'no date and time'],
  ['2026-04-31 10:00:00+01:00', 'no date and time'],
  ['2026-02-10T25:00:00Z', 'no date and time'],
  ['now', 'no date and time'],
] as const)('the moment %s is refused: %s', ([text, because]) => {
  expect(() => momentOf(text, now)).toThrow(because);
});
