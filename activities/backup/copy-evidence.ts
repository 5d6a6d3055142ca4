import type { Attempt } from '../attempt.ts';
import type { BackupFacts } from '../providers/backup-facts.ts';
import type { Provider } from '../providers/provider.ts';
import type { CopyEvidence, ProvedCopy } from './contract.ts';

interface Region {
  readonly backup: Pick<NonNullable<Provider['backup']>, 'awaitSnapshot'>;
  readonly copy: Pick<NonNullable<Provider['copy']>, 'listCopies'>;
}

/** Nothing of it is told by the steps before but what only they could see: the copy itself and what is gone are looked at now. */
export async function copyEvidence(
  { backup, copy }: Region,
  { database, proof }: ProvedCopy,
  facts: BackupFacts,
  attempt: Attempt,
): Promise<CopyEvidence> {
  const [made, there] = await Promise.all([backup.awaitSnapshot(facts, 'copy', attempt), copy.listCopies(database)]);
  const stays = new Set(there.filter(({ status }) => status !== 'deleting').map(({ arn }) => arn));
  return {
    source: database,
    destinationRegion: made.region,
    encryptedWith: made.encryptedWith,
    verified: proof.verified,
    newestRowAt: proof.recoveredTo,
    pruned: (facts.binding.prune?.remove ?? []).filter(({ arn }) => !stays.has(arn)).map(({ id }) => id),
  };
}
