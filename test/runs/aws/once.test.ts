import {
  AddTagsToResourceCommand,
  CreateDBSnapshotCommand,
  DeleteDBInstanceCommand,
  DeleteDBSnapshotCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  RemoveTagsFromResourceCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Provider } from '../../../activities/providers/provider.ts';
import type { BackupFacts } from '../../../activities/providers/backup-facts.ts';
import { createJournal, newRunId, type Journal, type JournalAttempt } from '../../support/attempt.ts';
import { eventually } from '../../support/eventually.ts';
import { startRds, type RdsWorld } from '../../support/providers/rds.ts';
import { settled } from '../../support/settled.ts';
import { factsOf } from '../../activities/providers/rds/facts.ts';

type Groups = Required<Pick<Provider, 'backup' | 'restore' | 'remove'>>;

let world: RdsWorld;
let verbs: Groups;
beforeAll(async () => {
  world = await startRds();
  const { backup, restore, remove } = world.provider;
  if (!backup || !restore || !remove) throw new Error('rds has these groups');
  verbs = { backup, restore, remove };
}, 120_000);
afterAll(async () => await world?.stop());

/** A run that makes a snapshot. */
async function begin(): Promise<{ journal: Journal; facts: BackupFacts; id: string; snapshot: () => Promise<void> }> {
  const journal = createJournal(`backup-now/orders/${newRunId()}`);
  const facts = await factsOf(world);
  await settled(journal, 'ready', (attempt) => verbs.restore.awaitReady(facts, attempt));
  const snapshot = (): Promise<void> => verbs.backup.createSnapshot(facts, journal.attempt('snapshot'));
  return { journal, facts, id: journal.tag.replace('_', '-'), snapshot };
}

/** Tries again as Temporal does, as long as the failure says that it may help. */
async function retried(act: () => Promise<void>, most = 8): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await act();
      return attempt;
    } catch (error) {
      if (attempt === most || !(error instanceof Error && 'retryable' in error && error.retryable === true)) throw error;
    }
  }
}

const calls = (action: string): number => world.aws.calls().filter((one) => one.action === action).length;

test('A1: made, and the answer lost: adopted by its tag', { timeout: 60_000 }, async () => {
  const { id, snapshot, journal } = await begin();
  world.aws.fault({ action: 'CreateDBSnapshot', kind: 'lost' });
  expect(await retried(snapshot)).toBe(2);
  expect(world.effects('CreateDBSnapshot', id)).toBe(1);
  expect([...journal.outcomes.values()]).toContain('adopted');
});

test('A2: the name taken by others: refused, untouched, and the undo leaves it', { timeout: 60_000 }, async () => {
  const { id, snapshot, journal, facts } = await begin();
  await world.client().send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: id }));
  const before = calls('CreateDBSnapshot');
  await expect(snapshot()).rejects.toMatchObject({ code: 'foreign-object', message: expect.stringContaining(id) as string });
  expect(calls('CreateDBSnapshot')).toBe(before);
  await verbs.backup.deleteSnapshot(facts, journal.attempt('snapshot', { undo: true }));
  expect(world.effects('DeleteDBSnapshot', id)).toBe(0);
});

test('A2: the name taken between look and call is seen by its tags', { timeout: 60_000 }, async () => {
  const { id, snapshot } = await begin();
  const others = world.client().send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: id }));
  // The first look is answered as if nothing were there.
  const end = world.aws.fault({ action: 'DescribeDBSnapshots', kind: 'answer', code: 'DBSnapshotNotFound', status: 404 });
  await others;
  await expect(snapshot()).rejects.toMatchObject({ code: 'foreign-object' });
  end();
});

test('A5: InvalidDBInstanceState is waited for while it passes', { timeout: 60_000 }, async () => {
  const { id, snapshot, facts, journal } = await begin();
  const other = await begin();
  await other.snapshot();
  await expect(snapshot()).rejects.toMatchObject({ code: 'provider-busy', message: expect.stringContaining('backing-up') as string });
  await settled(journal, 'ready', (attempt) => verbs.restore.awaitReady(facts, attempt));
  await snapshot();
  expect(world.effects('CreateDBSnapshot', id)).toBe(1);
});

test('A9: a storm of throttling is tried again, and one snapshot made', { timeout: 60_000 }, async () => {
  const { id, snapshot } = await begin();
  world.aws.fault({ action: 'CreateDBSnapshot', kind: 'throttle', times: 3 });
  await expect(snapshot()).rejects.toMatchObject({ code: 'provider-busy', retryable: true });
  expect(await retried(snapshot)).toBe(3);
  expect(world.effects('CreateDBSnapshot', id)).toBe(1);
});

test('A10: credentials that have run out are read again', { timeout: 60_000 }, async () => {
  const { id, snapshot } = await begin();
  world.aws.fault({ action: 'CreateDBSnapshot', kind: 'expired' });
  await snapshot();
  expect(world.effects('CreateDBSnapshot', id)).toBe(1);
});

test('A11: what is denied is named by its permission, and nothing is made', { timeout: 60_000 }, async () => {
  const { id, snapshot } = await begin();
  world.aws.fault({ action: 'CreateDBSnapshot', kind: 'denied' });
  await expect(snapshot()).rejects.toMatchObject({
    code: 'privilege-missing',
    retryable: false,
    message: expect.stringContaining('the permission rds:CreateDBSnapshot is missing') as string,
  });
  expect(world.effects('CreateDBSnapshot', id)).toBe(0);
});

test('A12: what was just made and can not be seen yet is waited for', { timeout: 60_000 }, async () => {
  const { id, snapshot } = await begin();
  const end = world.aws.fault({ action: 'DescribeDBSnapshots', kind: 'not-found', ms: 1_500 });
  await snapshot();
  end();
  expect(world.effects('CreateDBSnapshot', id)).toBe(1);
});

test('A12: the undo of what can not be seen yet looks until it is', { timeout: 60_000 }, async () => {
  const { id, snapshot, journal, facts } = await begin();
  const end = world.aws.fault({ action: 'DescribeDBSnapshots', kind: 'not-found', ms: 1_500 });
  world.aws.fault({ action: 'CreateDBSnapshot', kind: 'lost' });
  await expect(snapshot()).rejects.toMatchObject({ code: 'unreachable' });
  await settled(journal, 'snapshot', (attempt) => verbs.backup.deleteSnapshot(facts, attempt), { undo: true });
  end();
  expect(world.effects('DeleteDBSnapshot', id)).toBe(1);
});

test('A13: a quota that is full stops it, and nothing is left', { timeout: 60_000 }, async () => {
  const { id, snapshot } = await begin();
  world.aws.fault({ action: 'CreateDBSnapshot', kind: 'answer', code: 'SnapshotQuotaExceeded', status: 400 });
  await expect(snapshot()).rejects.toMatchObject({ code: 'quota-exceeded', retryable: false });
  expect(world.effects('CreateDBSnapshot', id)).toBe(0);
});

test('a snapshot that lost its tags is nobody’s: it stays', { timeout: 60_000 }, async () => {
  const { snapshot, journal, facts } = await begin();
  await snapshot();
  const made = await settled(journal, 'await', (attempt: JournalAttempt) => verbs.backup.awaitSnapshot(facts, 'source', attempt));
  const tags = ['steadyhand-run', 'steadyhand-key'];
  await world.client().send(new RemoveTagsFromResourceCommand({ ResourceName: made.arn, TagKeys: tags }));
  await expect(verbs.backup.deleteSnapshot(facts, journal.attempt('snapshot', { undo: true }))).rejects.toMatchObject({
    code: 'foreign-object',
  });
  await expect(snapshot()).rejects.toMatchObject({ code: 'foreign-object' });
  const again = Object.entries({ 'steadyhand-run': journal.run }).map(([Key, Value]) => ({ Key, Value }));
  await world.client().send(new AddTagsToResourceCommand({ ResourceName: made.arn, Tags: again }));
  await settled(journal, 'snapshot', (attempt) => verbs.backup.deleteSnapshot(facts, attempt), { undo: true });
});

test(
  'A3 and A6: a restored instance of other parameters is drift; one that is gone is done, and a new one of its name stays',
  { timeout: 120_000 },
  async () => {
    const shots = await begin();
    await shots.snapshot();
    const shot = await settled(shots.journal, 'await', (attempt) => verbs.backup.awaitSnapshot(shots.facts, 'source', attempt));
    const journal = createJournal(`pitr-restore/orders/${newRunId()}`);
    const facts = await factsOf(world, { from: { kind: 'snapshot', id: shot.id } });
    const restore = async (planned: BackupFacts): Promise<void> =>
      await verbs.restore.restoreFromSnapshot(planned, journal.attempt('restore'));
    world.aws.fault({ action: 'RestoreDBInstanceFromDBSnapshot', kind: 'lost' });
    // At least: what is slow to answer is asked once more, too.
    expect(await retried(async () => await restore(facts))).toBeGreaterThan(1);
    const other = { ...facts, binding: { ...facts.binding, quarantine: { VpcSecurityGroupIds: ['sg-orders'] } } };
    await expect(restore(other)).rejects.toMatchObject({
      code: 'drift',
      message: expect.stringContaining('VpcSecurityGroupIds is ["sg-quarantine"]') as string,
    });
    const made = await settled(journal, 'available', (attempt) => verbs.restore.awaitAvailable(facts, attempt));
    expect(world.effects('RestoreDBInstanceFromDBSnapshot', made.id)).toBe(1);
    const remove = async (attempt: JournalAttempt): Promise<void> => await verbs.remove.deleteRestored(facts, attempt);
    await settled(journal, 'restore', remove, { undo: true });
    await settled(journal, 'restore', remove, { undo: true });
    expect(world.effects('DeleteDBInstance', made.id)).toBe(1);
    await world.create(made.id);
    await expect(remove(journal.attempt('restore', { undo: true }))).rejects.toMatchObject({ code: 'foreign-object' });
    expect(await world.instance(made.id)).toBeDefined();
  },
);

test('A6: an old instance goes with a last snapshot, once; a new one of its name stays', { timeout: 120_000 }, async () => {
  await world.create('old', { DeletionProtection: true });
  const facts = await factsOf(world, { id: 'old' });
  const journal = createJournal(`remove-old/orders/${newRunId()}`);
  let decided = 0;
  const remove = async (attempt: JournalAttempt): Promise<void> =>
    await verbs.remove.deleteInstance(facts, attempt, async () => {
      await Promise.resolve();
      decided += 1;
    });
  const stays = { code: 'provider-refused', message: expect.stringContaining('protected') as string };
  await expect(remove(journal.attempt('remove'))).rejects.toMatchObject(stays);
  expect(decided).toBe(0);
  await world.client().send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'old', DeletionProtection: false }));
  await eventually(async () => (await world.instance('old'))?.DeletionProtection === false || undefined);
  const never = verbs.remove.deleteInstance(facts, journal.attempt('remove'), async () => await Promise.reject(new Error('not decided')));
  await expect(never).rejects.toThrow('not decided');
  expect(world.effects('DeleteDBInstance', 'old')).toBe(0);
  await settled(journal, 'remove', remove);
  expect([decided, world.effects('DeleteDBInstance', 'old')]).toEqual([1, 1]);
  expect(await settled(journal, 'last', (attempt) => verbs.remove.awaitLast(facts, attempt))).toMatchObject({ status: 'available' });
  const last = { DBSnapshotIdentifier: `${journal.tag.replace('_', '-')}-last` };
  expect((await world.client().send(new DescribeDBSnapshotsCommand(last))).DBSnapshots).toMatchObject([{ DBInstanceIdentifier: 'old' }]);
  await remove(journal.attempt('remove'));
  await world.create('old');
  await expect(remove(journal.attempt('remove'))).rejects.toMatchObject({ code: 'identity-changed' });
  expect((await world.instance('old'))?.DBInstanceStatus).toBe('available');
  expect(world.effects('DeleteDBInstance', 'old')).toBe(1);
});

test('what others have removed while it is waited for is told, and not waited for for days', { timeout: 120_000 }, async () => {
  const { facts, journal, id, snapshot } = await begin();
  await snapshot();
  const whole = (): Promise<unknown> => settled(journal, 'await', (attempt) => verbs.backup.awaitSnapshot(facts, 'source', attempt));
  await whole();
  await world.client().send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id }));
  await expect(whole()).rejects.toMatchObject({
    code: 'drift',
    message: expect.stringContaining(`${id} in eu-central-1 is gone`) as string,
  });
});

test('an old instance that others removed, without the last snapshot: told', { timeout: 120_000 }, async () => {
  await world.create('removed');
  const facts = await factsOf(world, { id: 'removed' });
  const journal = createJournal(`remove-old/orders/${newRunId()}`);
  await world.client().send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'removed', SkipFinalSnapshot: true }));
  await settled(journal, 'remove', (attempt) => verbs.remove.deleteInstance(facts, attempt, () => Promise.resolve()));
  const last = settled(journal, 'last', (attempt) => verbs.remove.awaitLast(facts, attempt));
  await expect(last).rejects.toMatchObject({ code: 'drift', message: expect.stringContaining('-last') as string });
});

test('a source that is another instance now is not waited for', async () => {
  const { facts, journal } = await begin();
  const other = { ...facts, binding: { ...facts.binding, source: { ...facts.binding.source, resource: 'db-OTHER' } } };
  await expect(verbs.restore.awaitReady(other, journal.attempt('ready'))).rejects.toMatchObject({ code: 'identity-changed' });
});
