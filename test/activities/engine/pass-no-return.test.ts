import { expect, test } from 'vitest';
import { createBackupActivities } from '../../../activities/backup/create-backup-activities.ts';
import { passNoReturn } from '../../../activities/engine/pass-no-return.ts';
import type { BackupFacts } from '../../../activities/providers/backup-facts.ts';
import type { Providers } from '../../../activities/providers/provider-of.ts';
import type { NoReturn } from '../../../control/contract.ts';
import type { DatabaseEntry } from '../../../domain/inventory.ts';
import { createJournal, newRunId } from '../../support/attempt.ts';

const journal = createJournal(`remove-old/orders/${newRunId()}`);

/** Where the first word stands, as in the control database. */
function row(stands?: 'forward' | 'back'): Pick<NoReturn, 'decide'> & { written: number } {
  let side = stands;
  const self = {
    written: 0,
    decide: async (_key: string, _attempt: unknown, asked: 'forward' | 'back') => {
      if (side === undefined) self.written += 1;
      side ??= asked;
      return await Promise.resolve(side);
    },
  };
  return self;
}

test('a step without return is passed once, however often it is tried', async () => {
  const noReturn = row();
  await passNoReturn(noReturn, journal.attempt('remove'), 'orders');
  await passNoReturn(noReturn, journal.attempt('remove'), 'orders');
  expect(noReturn.written).toBe(1);
});

test.each([
  ['forward', ['removed']],
  ['back', []],
] as const)('of a run that it was decided to go %s an instance is removed, or stays', async (side, removed) => {
  const done: string[] = [];
  const remove = {
    deleteInstance: async (_facts: unknown, _attempt: unknown, decided: () => Promise<void>) => {
      await decided();
      done.push('removed');
    },
  };
  const activities = createBackupActivities({
    // Only what the verb looks at.
    servers: { entry: () => ({ provider: 'rds' }) as DatabaseEntry },
    providers: { rds: { remove } } as unknown as Providers,
    noReturn: row(side),
    backupFacts: async () => await Promise.resolve({ binding: { database: 'orders' } } as BackupFacts),
  });
  const removal = activities.deleteInstance({ database: 'orders', facts: 'digest' }, journal.attempt('remove'));
  await (side === 'forward' ? removal : expect(removal).rejects.toMatchObject({ code: 'conflict' }));
  expect(done).toEqual(removed);
});
