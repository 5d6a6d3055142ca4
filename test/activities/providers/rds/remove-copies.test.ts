import { AddTagsToResourceCommand, DeleteDBSnapshotCommand, DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CopyAbroad } from '../../../../activities/providers/provider.ts';
import type { BackupFacts, OldCopy } from '../../../../activities/providers/backup-facts.ts';
import { createJournal, newRunId } from '../../../support/attempt.ts';
import { home, startRds, type RdsWorld } from '../../../support/providers/rds.ts';
import { settled } from '../../../support/settled.ts';
import { factsOf } from './facts.ts';

let world: RdsWorld;
let copy: CopyAbroad;
beforeAll(async () => {
  world = await startRds();
  if (!world.provider.copy) throw new Error('rds copies');
  copy = world.provider.copy;
  newestGood = await oldCopy();
}, 120_000);
afterAll(async () => await world?.stop());

/** A whole snapshot of a run, as an old copy is; where it stands makes no difference to its removal. */
async function oldCopy(): Promise<OldCopy> {
  const { backup, restore } = world.provider;
  if (!backup || !restore) throw new Error('rds makes snapshots');
  const journal = createJournal(`dr-snapshot-copy/orders/${newRunId()}`);
  const facts = await factsOf(world);
  await settled(journal, 'ready', (attempt) => restore.awaitReady(facts, attempt));
  await backup.createSnapshot(facts, journal.attempt('snapshot'));
  const { id, arn, takenAt } = await settled(journal, 'whole', (attempt) => backup.awaitSnapshot(facts, 'source', attempt));
  return { id, arn, takenAt: takenAt ?? '', run: journal.run };
}

let newestGood: OldCopy;

async function removing(...remove: OldCopy[]): Promise<{ facts: BackupFacts; journal: ReturnType<typeof createJournal> }> {
  const { binding, observed } = await factsOf(world);
  const facts = { binding: { ...binding, prune: { region: home, remove, newestGood } }, observed };
  return { facts, journal: createJournal(`dr-snapshot-copy/orders/${newRunId()}`) };
}

const there = async (id: string): Promise<number> =>
  ((await world.client().send(new DescribeDBSnapshotsCommand({}))).DBSnapshots ?? []).filter((one) => one.DBSnapshotIdentifier === id)
    .length;

test('what goes, goes once, also when the answer is lost; what is gone counts as removed', { timeout: 120_000 }, async () => {
  const [one, gone] = [await oldCopy(), await oldCopy()];
  await world.client().send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: gone.id }));
  const { facts, journal } = await removing(one, gone);
  world.aws.fault({ action: 'DeleteDBSnapshot', kind: 'lost' });
  await expect(copy.removeCopies(facts, journal.attempt('prune'))).rejects.toMatchObject({ code: 'unreachable', retryable: true });
  for (let time = 0; time < 2; time += 1) {
    expect(await copy.removeCopies(facts, journal.attempt('prune'))).toEqual({ pruned: [one.id, gone.id], stayed: [] });
  }
  expect(world.effects('DeleteDBSnapshot', one.id)).toBe(1);
});

test('what somebody has put a hold on since the plan stays, and so does another one of its name', { timeout: 120_000 }, async () => {
  const [held, other, old] = [await oldCopy(), await oldCopy(), await oldCopy()];
  await world.client().send(new AddTagsToResourceCommand({ ResourceName: held.arn, Tags: [{ Key: 'legal-hold', Value: '' }] }));
  const { facts, journal } = await removing(held, { ...other, takenAt: '2001-01-01T00:00:00.000Z' }, { ...old, run: anotherRun });
  expect(await copy.removeCopies(facts, journal.attempt('prune'))).toEqual({
    pruned: [],
    stayed: [
      { id: held.id, because: 'legal hold' },
      { id: other.id, because: 'it is another one than in the plan' },
      { id: old.id, because: 'it is another one than in the plan' },
    ],
  });
  for (const { id } of [held, other, old]) expect(await there(id)).toBe(1);
});

test('the good copy that lets them go is gone meanwhile: they stay', { timeout: 120_000 }, async () => {
  const [one, good] = [await oldCopy(), await oldCopy()];
  const { facts, journal } = await removing(one);
  const leaning = { ...facts, binding: { ...facts.binding, prune: { region: home, remove: [one], newestGood: good } } };
  await world.client().send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: good.id }));
  const because = `the newest good copy, ${good.id}, is gone`;
  expect(await copy.removeCopies(leaning, journal.attempt('prune'))).toEqual({ pruned: [], stayed: [{ id: one.id, because }] });
  expect(await there(one.id)).toBe(1);
});

test('one that is in use is tried again, and stays when that does not pass; the others go', { timeout: 120_000 }, async () => {
  const [used, free] = [await oldCopy(), await oldCopy()];
  const { facts, journal } = await removing(used, free);
  // The first call of the first round, and of all later ones.
  const busy = { action: 'DeleteDBSnapshot', kind: 'answer', code: 'InvalidDBSnapshotState' } as const;
  const ends = [world.aws.fault(busy), world.aws.fault({ ...busy, after: 2, times: 1_000 })];
  const stayed = [{ id: used.id, because: 'it is in use' }];
  expect(await copy.removeCopies(facts, journal.attempt('prune'))).toEqual({ pruned: [free.id], stayed });
  for (const end of ends) end();
  const again = createJournal(`dr-snapshot-copy/orders/${newRunId()}`);
  world.aws.fault(busy);
  expect(await copy.removeCopies(facts, again.attempt('prune'))).toEqual({ pruned: [free.id, used.id], stayed: [] });
});

const anotherRun = `dr-snapshot-copy/orders/${newRunId()}`;
