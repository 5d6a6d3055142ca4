import { afterAll, beforeAll, expect, test } from 'vitest';
import { backupCommands } from '../../../activities/backup/commands.ts';
import type { BackupFacts, BackupOrder } from '../../../activities/providers/backup-facts.ts';
import type { Provider } from '../../../activities/providers/provider.ts';
import type { Command } from '../../../domain/command.ts';
import { awsActions } from '../../../activities/aws/calls.ts';
import { createJournal, newRunId, type Journal, type JournalAttempt } from '../../support/attempt.ts';
import { saidBy, saidTo, type SaidCall } from '../../support/providers/as-planned.ts';
import { abroad, startRds, type RdsWorld } from '../../support/providers/rds.ts';
import { settled } from '../../support/settled.ts';

let world: RdsWorld;
let verbs: Required<Provider>;
beforeAll(async () => {
  // As few IOPS as there may be: those of io1 are told all the same.
  const storage = { StorageType: 'io1', AllocatedStorage: 100, Iops: 1_000 };
  const rest = { StorageEncrypted: true, MultiAZ: false, CopyTagsToSnapshot: true, PreferredBackupWindow: '01:00-01:30' };
  world = await startRds({ source: { ...storage, ...rest } });
  // Its suite holds that all groups are there.
  verbs = world.provider as Required<Provider>;
}, 120_000);
afterAll(async () => await world?.stop());

const changes = new Set(Object.entries(awsActions).flatMap(([action, kind]) => (kind === 'change' ? [action.split(':')[1]] : [])));

/** The calls that changed something, since so many. */
const changed = (since: number): SaidCall[] =>
  world.aws
    .calls()
    .slice(since)
    .filter(({ action, status }) => changes.has(action) && status === 200)
    .map(saidTo);

async function begin(runbook: string, order: Omit<BackupOrder, 'database' | 'run'>): Promise<{ journal: Journal; facts: BackupFacts }> {
  const journal = createJournal(`${runbook}/orders/${newRunId()}`);
  return { journal, facts: await verbs.restore.inspect({ database: 'orders', run: journal.run, ...order }) };
}

const dayIn = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

interface Step {
  readonly journal: Journal;
  readonly step: string;
  readonly planned: readonly Command[];
  readonly snapshot?: string;
  readonly undo?: boolean;
  act(attempt: JournalAttempt): Promise<unknown>;
}

/** Does the step, and holds what AWS was asked for against what the plan says. */
async function asPlanned({ journal, step, planned, snapshot = '', undo = false, act }: Step): Promise<void> {
  const since = world.aws.calls().length;
  await settled(journal, step, act, { undo });
  const key = `${journal.run}/${step}/1`;
  const tag = journal.tag.replace('_', '-');
  const old = `orders-old-${tag.replace('steadyhand-', '')}`;
  const values = { tag, run: journal.run, key, snapshot, old, remove_after: dayIn(7) };
  const said = planned.map((command) => saidBy(command, values));
  expect(changed(since)).toEqual(said);
}

test('a restore to a moment, its settings and its removal are the calls of the plan', { timeout: 180_000 }, async () => {
  const window = await settled(
    createJournal(),
    'window',
    async () => (await verbs.restore.window('orders')) ?? Promise.reject(new Error('none')),
  );
  const { journal, facts } = await begin('pitr-restore', { from: { kind: 'moment', at: `${window.latest.slice(0, 19)}Z` } });
  const commands = backupCommands(facts);
  await asPlanned({
    journal,
    step: 'restore',
    planned: commands.restoreToPointInTime(facts),
    act: (attempt) => verbs.restore.restoreToPointInTime(facts, attempt),
  });
  await settled(journal, 'available', (attempt) => verbs.restore.awaitAvailable(facts, attempt));
  await asPlanned({
    journal,
    step: 'settings',
    planned: commands.applySettings(facts),
    act: (attempt) => verbs.settings.applySettings(facts, attempt),
  });
  await settled(journal, 'available', (attempt) => verbs.restore.awaitAvailable(facts, attempt));
  expect(await verbs.settings.compareSettings(facts, journal.attempt('compare'))).toEqual([]);
  await asPlanned({
    journal,
    step: 'restore',
    undo: true,
    planned: commands.deleteRestored(facts),
    act: (attempt) => verbs.remove.deleteRestored(facts, attempt),
  });
});

test('a snapshot, its copy abroad under the key there, and a drill from it', { timeout: 180_000 }, async () => {
  const { journal, facts } = await begin('dr-snapshot-copy', { copy: 'new', from: { kind: 'own-copy' } });
  const commands = backupCommands(facts);
  await settled(journal, 'ready', (attempt) => verbs.restore.awaitReady(facts, attempt));
  await asPlanned({
    journal,
    step: 'snapshot',
    planned: commands.createSnapshot(facts),
    act: (attempt) => verbs.backup.createSnapshot(facts, attempt),
  });
  const { arn } = await settled(journal, 'made', (attempt) => verbs.backup.awaitSnapshot(facts, 'source', attempt));
  await asPlanned({
    journal,
    step: 'copy',
    snapshot: arn,
    planned: commands.copySnapshot(facts),
    act: (attempt) => verbs.copy.copySnapshot(facts, attempt),
  });
  await verbs.copy.copySnapshot(facts, journal.attempt('copy'));
  const copy = await settled(journal, 'copied', (attempt) => verbs.backup.awaitSnapshot(facts, 'copy', attempt));
  expect(world.effects('CopyDBSnapshot', copy.id)).toBe(1);
  expect(copy).toMatchObject({ region: abroad, automated: false, tags: { team: 'orders', 'steadyhand-run': journal.run } });
  const [original] = (await verbs.backup.listBackups('orders')).filter(({ id }) => id === copy.id);
  expect(copy.takenAt).toBe(original?.takenAt);
  await asPlanned({
    journal,
    step: 'drill',
    planned: commands.restoreFromSnapshot(facts),
    act: (attempt) => verbs.restore.restoreFromSnapshot(facts, attempt),
  });
  await settled(journal, 'available', (attempt) => verbs.restore.awaitAvailable(facts, attempt));
  await asPlanned({
    journal,
    step: 'drill',
    undo: true,
    planned: commands.deleteRestored(facts),
    act: (attempt) => verbs.remove.deleteRestored(facts, attempt),
  });
  await asPlanned({
    journal,
    step: 'copy',
    undo: true,
    planned: commands.deleteCopy(facts),
    act: (attempt) => verbs.copy.deleteCopy(facts, attempt),
  });
  await asPlanned({
    journal,
    step: 'snapshot',
    undo: true,
    planned: commands.deleteSnapshot(facts),
    act: (attempt) => verbs.backup.deleteSnapshot(facts, attempt),
  });
});

test('a copy that takes the place of the one in use, and gives it back', { timeout: 240_000 }, async () => {
  const shots = await begin('backup-now', { snapshot: true });
  await settled(shots.journal, 'ready', (attempt) => verbs.restore.awaitReady(shots.facts, attempt));
  await verbs.backup.createSnapshot(shots.facts, shots.journal.attempt('snapshot'));
  const { id } = await settled(shots.journal, 'made', (attempt) => verbs.backup.awaitSnapshot(shots.facts, 'source', attempt));
  await settled(shots.journal, 'ready', (attempt) => verbs.restore.awaitReady(shots.facts, attempt));
  const from = { kind: 'snapshot', id } as const;
  const { journal, facts } = await begin('pitr-restore', { from, keepOldDays: 7 });
  const commands = backupCommands(facts);
  await verbs.restore.restoreFromSnapshot(facts, journal.attempt('restore'));
  await settled(journal, 'available', (attempt) => verbs.restore.awaitAvailable(facts, attempt));
  const { swap } = verbs;
  const does = async (step: string, verb: Exclude<keyof typeof swap, 'awaitNamed'>, undo = false): Promise<void> =>
    await asPlanned({ journal, step, undo, planned: commands[verb](facts), act: (attempt) => swap[verb](facts, attempt) });
  await does('put-aside', 'renameSource');
  await does('take-place', 'renameRestored');
  await does('open', 'openRestored');
  await does('open', 'closeRestored', true);
  await does('take-place', 'nameRestoredBack', true);
  await does('put-aside', 'nameSourceBack', true);
  await settled(journal, 'restore', (attempt) => verbs.remove.deleteRestored(facts, attempt), { undo: true });
});

test('an old instance is removed as planned', { timeout: 120_000 }, async () => {
  const run = `remove-old/orders/${newRunId()}`;
  const Tags = Object.entries({ 'steadyhand-run': `pitr-restore/orders/${newRunId()}`, 'steadyhand:remove-after': dayIn(0) });
  await world.create('old', { Tags: Tags.map(([Key, Value]) => ({ Key, Value })) });
  const journal = createJournal(run);
  const facts = await verbs.remove.inspectOld({ database: 'orders', run, instance: 'old', early: false });
  await asPlanned({
    journal,
    step: 'remove',
    planned: backupCommands(facts).deleteInstance(facts),
    act: (attempt) => verbs.remove.deleteInstance(facts, attempt, () => Promise.resolve()),
  });
  const last = await settled(journal, 'last', (attempt) => verbs.remove.awaitLast(facts, attempt));
  expect(last).toMatchObject({ id: `${journal.tag.replace('_', '-')}-last`, automated: false });
});

test('free storage is what CloudWatch measured last', async () => {
  const { free, all } = await verbs.storage.freeStorage('orders');
  expect(all).toBe(100 * 1_073_741_824);
  expect(free).toBeGreaterThan(0);
  expect(free).toBeLessThan(all);
});
