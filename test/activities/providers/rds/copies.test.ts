import type { DBSnapshot } from '@aws-sdk/client-rds';
import { expect, test } from 'vitest';
import type { BackupFacts } from '../../../../activities/providers/backup-facts.ts';
import { copySnapshotCall } from '../../../../activities/providers/rds/commands.ts';
import { ownVariables } from '../../../../activities/providers/rds/own.ts';
import { awaitRoom, copiesUnderWay } from '../../../../activities/providers/rds/room.ts';
import { listCopies } from '../../../../activities/providers/rds/snapshots.ts';
import { createJournal } from '../../../support/attempt.ts';

type Rds = Parameters<typeof listCopies>[0];

const [home, abroad] = ['eu-central-1', 'eu-west-1'];
const dr = { region: abroad, parameterGroup: 'p', subnetGroup: 's', securityGroups: ['sg'] };
const entry = { provider: 'rds', rds: { instance: 'orders-2', region: home, dr } };

/** The region's answer, a snapshot a page. */
function regionOf(snapshots: readonly DBSnapshot[]): Rds {
  const call = async (_region: string, _action: string, { Marker = '0' }: { Marker?: string }): Promise<unknown> => {
    const at = Number(Marker);
    return await Promise.resolve({
      DBSnapshots: snapshots.slice(at, at + 1),
      ...(at + 1 < snapshots.length ? { Marker: String(at + 1) } : {}),
    });
  };
  // Nothing but this one call is made of it.
  return { aws: { call }, servers: { entry: () => entry }, pace: { lookAgainMs: 10, graceMs: 0 } } as unknown as Rds;
}

function copy(id: string, more: DBSnapshot, tags: Readonly<Record<string, string>> = {}): DBSnapshot {
  const TagList = Object.entries({ 'steadyhand-run': 'dr-snapshot-copy/orders/1', ...tags }).map(([Key, Value]) => ({ Key, Value }));
  return { DBSnapshotIdentifier: id, SourceRegion: home, Status: 'available', TagList, ...more };
}

test('a copy is of the database that its tag names, whatever its server was called; without the tag of its instance', async () => {
  const day = (text: string): DBSnapshot => ({ OriginalSnapshotCreateTime: new Date(`2026-11-${text}T00:00:00Z`) });
  const orders = { 'steadyhand-database': 'orders' };
  const region = regionOf([
    copy('before-the-rename', { DBInstanceIdentifier: 'orders-1', ...day('01') }, orders),
    copy('untagged', { DBInstanceIdentifier: 'orders-2', ...day('03') }),
    copy('untagged-of-another', { DBInstanceIdentifier: 'orders-1', ...day('04') }),
    copy('of-who-was-called-so-before', { DBInstanceIdentifier: 'orders-2', ...day('05') }, { 'steadyhand-database': 'ledger' }),
    copy('now', { DBInstanceIdentifier: 'orders-2', ...day('02') }, orders),
  ]);
  expect((await listCopies(region, 'orders')).map(({ id }) => id)).toEqual(['untagged', 'now', 'before-the-rename']);
});

const source = {
  id: 'orders-2',
  arn: 'arn:aws:rds:eu-central-1:1:db:orders-2',
  resource: 'db-1',
  region: home,
  engine: 'postgres',
  version: '16.4',
  encrypted: true,
  asMainUser: true,
};
const copied = { region: abroad, snapshot: 'arn:aws:rds:eu-central-1:1:snapshot:x', key: 'alias/orders', tags: ['team=orders'] };
const binding = { provider: 'rds', database: 'orders', source, restore: null, copy: copied, settings: {}, quarantine: {} };
const facts: BackupFacts = { binding, observed: { bytes: 0, window: null, takenAt: null } };

test('every copy gets the tag', () => {
  expect(copySnapshotCall(facts, ownVariables, '').input.Tags).toContainEqual({ Key: 'steadyhand-database', Value: 'orders' });
});

test('twenty copies of others are waited for; those that are whole, of this region, or the run’s own are not', async () => {
  const making = (count: number): DBSnapshot[] => Array.from({ length: count }, (_, at) => copy(`c${at}`, { Status: 'creating' }));
  const journal = createJournal();
  const rest = [
    copy('whole', {}),
    { ...copy('manual', { Status: 'creating' }), SourceRegion: undefined },
    copy('own', { Status: 'creating' }, { 'steadyhand-run': journal.run }),
  ];
  await awaitRoom(regionOf([...making(19), ...rest]), facts, journal.attempt('room'));
  const full = regionOf([...making(20), ...rest]);
  expect(await copiesUnderWay(full, abroad, journal.run)).toEqual({ now: 20, atMost: 20 });
  await expect(awaitRoom(full, facts, journal.attempt('room'))).rejects.toMatchObject({
    code: 'not-yet',
    message: expect.stringContaining('20 copies into eu-west-1') as string,
  });
});
