export type { Difference } from './backup-facts.ts';
/** What providers answer. Stories see it too, so nothing of an activity's own stands here. */

/** A snapshot as the provider tells it. Times are ISO 8601 in UTC. */
export interface Snapshot {
  readonly id: string;
  readonly arn: string;
  readonly region: string;
  readonly status: string;
  /** Made by the provider's own schedule. */
  readonly automated: boolean;
  /** When its data is from: a copy has its original's. null while it is being made. */
  readonly takenAt: string | null;
  readonly bytes: number;
  /** The provider's name of the key; null when it is not encrypted. */
  readonly encryptedWith: string | null;
  /** The run that has made it, by its tag. */
  readonly run: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

/** An instance that this run restored, once it answers. */
export interface Restored {
  readonly id: string;
  /** The provider's name for this very instance, which no other ever gets. */
  readonly resource: string;
  readonly host: string;
  readonly port: number;
}

/** What became of the one that was in use. */
export interface Kept {
  /** What it is called now. */
  readonly keptAs: string;
  /** The day from which on it may be removed, as YYYY-MM-DD. */
  readonly removeAfter: string;
}

/** What became of the old copies that were to go, by their names. */
export interface RemovedCopies {
  readonly pruned: readonly string[];
  /** Those that stayed after all, as when somebody has put a hold on one since the plan. */
  readonly stayed: readonly { readonly id: string; readonly because: string }[];
}
