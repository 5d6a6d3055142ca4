import type { Judged } from '../../domain/retention.ts';
import type { BackupFacts } from '../providers/backup-facts.ts';
import type { FactsOfVerification } from '../recovery/facts.ts';

/** What is looked up before a copy into the other region. */
export interface CopyAbroadFacts {
  readonly binding: BackupFacts['binding'] & FactsOfVerification['binding'];
  readonly observed: BackupFacts['observed'] & {
    /** The earlier copies there, newest first, and why each stays or goes; null when the ledger could not be read. */
    readonly earlier: readonly Judged[] | null;
  };
}
