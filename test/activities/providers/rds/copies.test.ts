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

const run = 'dr-snapshot-copy/orders/01M80000000000000000000000';

function copy(id: string, more: DBSnapshot, tags: Readonly<Record<string, string>> = {}): DBSnapshot {
  const TagList = Object.entries({ 'steadyhand-run': run, ...tags }).map(([Key, Value]) => ({ Key, Value }));
  return { DBSnapshotIdentifier: id, SourceRegion: home, Status: 'available', TagList, ...more };
}

/** As the run number `at` of that runbook makes it. */
function madeBy(at: number, more: DBSnapshot, tags: Readonly<Record<string, string>> = {}, runbook = 'dr-snapshot-copy'): DBSnapshot {
  const id = `01M8000000000000000000000${at}`;
  return copy(`steadyhand-${id.toLowerCase()}`, more, { 'steadyhand-run': `${runbook}/orders/${id}`, ...tags });
}

test('a copy is what a run has made as one for this database, whatever its server was called; nothing else is', async () => {
  const day = (text: string): DBSnapshot => ({ OriginalSnapshotCreateTime: new Date(`2026-11-${text}T00:00:00Z`) });
  const orders = { 'steadyhand-database': 'orders' };
  const region = regionOf([
    madeBy(1, { DBInstanceIdentifier: 'orders-1', ...day('01') }, orders),
    madeBy(2, { DBInstanceIdentifier: 'orders-2', ...day('02') }, orders),
    madeBy(3, { DBInstanceIdentifier: 'orders-2', ...day('03') }, { 'steadyhand-database': 'ledger' }),
    // Of an instance that is called the same here: a backup, or what was one before the regions were exchanged.
    madeBy(4, { DBInstanceIdentifier: 'orders-2', ...day('04') }, {}, 'backup-now'),
    // Somebody has copied a copy, with its tags.
    copy('before-the-migration', { DBInstanceIdentifier: 'orders-2', ...day('05') }, orders),
    copy('by-hand', { DBInstanceIdentifier: 'orders-2', ...day('06') }, { ...orders, 'steadyhand-run': 'nobody' }),
  ]);
  expect((await listCopies(region, 'orders')).map(({ takenAt }) => takenAt?.slice(8, 10))).toEqual(['02', '01']);
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
