import { CopyDBSnapshotCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Provider } from '../../../activities/providers/provider.ts';
import { backupWork } from '../../../activities/backup/contract.ts';
import { createJournal, newRunId } from '../../support/attempt.ts';
import { abroad, startRds, type RdsWorld } from '../../support/providers/rds.ts';
import { settled } from '../../support/settled.ts';

let world: RdsWorld;
let verbs: Required<Provider>;
beforeAll(async () => {
  // A copy takes 6 s, and nobody else may have one meanwhile.
  world = await startRds({ copiesAtOnce: 1, statesFactor: 100 });
  // Its suite holds that all groups are there.
  verbs = world.provider as Required<Provider>;
}, 120_000);
afterAll(async () => await world?.stop());

test('a copy that AWS has no room for is waited for and made once; a full quota is none', { timeout: 120_000 }, async () => {
  const journal = createJournal(`dr-snapshot-copy/orders/${newRunId()}`);
  const facts = await verbs.restore.inspect({ database: 'orders', run: journal.run, copy: 'new' });
  await settled(journal, 'ready', (attempt) => verbs.restore.awaitReady(facts, attempt));
  await verbs.backup.createSnapshot(facts, journal.attempt('snapshot'));
  const { arn, id } = await settled(journal, 'made', (attempt) => verbs.backup.awaitSnapshot(facts, 'source', attempt));
  const copy = async (): Promise<void> => await verbs.copy.copySnapshot(facts, journal.attempt('copy'));

  world.aws.fault({ action: 'CopyDBSnapshot', kind: 'answer', code: 'SnapshotQuotaExceeded' });
  await expect(copy()).rejects.toMatchObject({ code: 'quota-exceeded', retryable: false });

  const others = { SourceDBSnapshotIdentifier: arn, TargetDBSnapshotIdentifier: 'of-others' };
  await world.client(abroad).send(new CopyDBSnapshotCommand(others));
  // By what can be counted there is room.
  await verbs.copy.awaitRoom(facts, journal.attempt('room'));
  await expect(copy()).rejects.toMatchObject({ code: 'not-yet', message: expect.stringContaining('copies into eu-west-1') as string });
  expect(world.effects('CopyDBSnapshot', id)).toBe(0);
  await settled(journal, 'copy', async (attempt) => await verbs.copy.copySnapshot(facts, attempt));
  await settled(journal, 'copied', (attempt) => verbs.backup.awaitSnapshot(facts, 'copy', attempt));
  expect(world.effects('CopyDBSnapshot', id)).toBe(1);
  // It is looked for again as often as it takes, not a few times.
  expect(backupWork.copySnapshot).toBe('wait');
});
