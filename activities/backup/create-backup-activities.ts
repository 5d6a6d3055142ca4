import type { NoReturn } from '../../control/contract.ts';
import type { Attempt, Effects } from '../attempt.ts';
import { refuseBlocked } from '../engine/gather-findings.ts';
import { passNoReturn } from '../engine/pass-no-return.ts';
import { capable, type Capability, type Providers } from '../providers/provider-of.ts';
import type { Provider } from '../providers/provider.ts';
import type { BackupFacts } from '../providers/backup-facts.ts';
import type { Servers } from '../postgres/session.ts';
import type { BackupActivities, OnInstance } from './contract.ts';
import { copyEvidence } from './copy-evidence.ts';

export interface BackupDependencies {
  readonly servers: Pick<Servers, 'entry'>;
  readonly providers: Providers;
  readonly noReturn: Pick<NoReturn, 'decide'>;
  /** The facts that are stored under a digest. */
  backupFacts(digest: string): Promise<BackupFacts>;
}

/** Each verb is its provider's; what a provider hasn't got is refused here once more, should a plan have let it through. */
export function createBackupActivities({ servers, providers, noReturn, backupFacts }: BackupDependencies): Effects<BackupActivities> {
  const on =
    <Group extends Capability, Result>(
      group: Group,
      act: (verbs: NonNullable<Provider[Group]>, facts: BackupFacts, attempt: Attempt) => Promise<Result>,
    ) =>
    async ({ database, facts }: OnInstance, attempt: Attempt): Promise<Result> => {
      const verbs = capable(providers[servers.entry(database).provider], group, database);
      return await act(verbs, await backupFacts(facts), attempt);
    };
  return {
    awaitReady: on('restore', (verbs, ...rest) => verbs.awaitReady(...rest)),
    createSnapshot: on('backup', (verbs, ...rest) => verbs.createSnapshot(...rest)),
    awaitSnapshot: on('backup', (verbs, facts, attempt) => verbs.awaitSnapshot(facts, 'source', attempt)),
    deleteSnapshot: on('backup', (verbs, ...rest) => verbs.deleteSnapshot(...rest)),
    awaitRoom: on('copy', (verbs, ...rest) => verbs.awaitRoom(...rest)),
    copySnapshot: on('copy', (verbs, ...rest) => verbs.copySnapshot(...rest)),
    awaitCopy: on('backup', (verbs, facts, attempt) => verbs.awaitSnapshot(facts, 'copy', attempt)),
    deleteCopy: on('copy', (verbs, ...rest) => verbs.deleteCopy(...rest)),
    removeCopies: on('copy', async (verbs, facts, attempt) => {
      // From the first one that is gone on the new copy must stay.
      await passNoReturn(noReturn, attempt, facts.binding.database);
      return await verbs.removeCopies(facts, attempt);
    }),
    awaitRestorable: on('restore', async (verbs, facts, attempt) => {
      await verbs.awaitRestorable(facts, attempt);
      const { from } = facts.binding.restore ?? {};
      return from?.kind === 'moment' ? { moment: from.at } : null;
    }),
    restoreToPointInTime: on('restore', (verbs, ...rest) => verbs.restoreToPointInTime(...rest)),
    restoreFromSnapshot: on('restore', (verbs, ...rest) => verbs.restoreFromSnapshot(...rest)),
    awaitAvailable: on('restore', (verbs, ...rest) => verbs.awaitAvailable(...rest)),
    applySettings: on('settings', (verbs, ...rest) => verbs.applySettings(...rest)),
    setMainPassword: on('settings', (verbs, ...rest) => verbs.setMainPassword(...rest)),
    compareSettings: on('settings', async (verbs, ...rest) => ({ differences: await verbs.compareSettings(...rest) })),
    deleteRestored: on('remove', (verbs, ...rest) => verbs.deleteRestored(...rest)),
    // Written down before the call that nothing takes back: a cancel that comes after it changes nothing.
    deleteInstance: on('remove', (verbs, facts, attempt) =>
      verbs.deleteInstance(facts, attempt, async () => await passNoReturn(noReturn, attempt, facts.binding.database)),
    ),
    awaitLast: on('remove', (verbs, ...rest) => verbs.awaitLast(...rest)),
    renameSource: on('swap', (verbs, ...rest) => verbs.renameSource(...rest)),
    nameSourceBack: on('swap', (verbs, ...rest) => verbs.nameSourceBack(...rest)),
    renameRestored: on('swap', (verbs, ...rest) => verbs.renameRestored(...rest)),
    nameRestoredBack: on('swap', (verbs, ...rest) => verbs.nameRestoredBack(...rest)),
    openRestored: on('swap', (verbs, ...rest) => verbs.openRestored(...rest)),
    closeRestored: on('swap', (verbs, ...rest) => verbs.closeRestored(...rest)),
    awaitNamed: on('swap', (verbs, ...rest) => verbs.awaitNamed(...rest)),
    drKit: on('copy', async ({ kit }, { binding: { database } }) => refuseBlocked(await kit(database))),
    copyEvidence: async (told, attempt) => {
      const provider = providers[servers.entry(told.database).provider];
      const region = { backup: capable(provider, 'backup', told.database), copy: capable(provider, 'copy', told.database) };
      return await copyEvidence(region, told, await backupFacts(told.facts), attempt);
    },
  };
}
