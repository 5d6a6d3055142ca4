/** How far a restore was taken. Only the last one proves that a database can be brought back. */
export const proofLevels = ['none', 'available', 'restored-and-queried'] as const;
export type ProofLevel = (typeof proofLevels)[number];

/** A restore that was made and looked at. Moments are ISO 8601 in UTC. */
export interface Proof {
  readonly database: string;
  readonly verified: ProofLevel;
  /** What was restored: the name of a snapshot, or of what a moment was restored from. */
  readonly backup: string;
  readonly backupAt: string | null;
  /** The moment that was asked for; null: the newest. */
  readonly target: string | null;
  /** The newest row or commit that is there, to the microsecond. */
  readonly recoveredTo: string | null;
  /** From the first call until it answered, and until every page had been read. */
  readonly secondsAvailable: number | null;
  readonly secondsHydrated: number | null;
  /** The tiers that were looked at. */
  readonly checks: readonly { readonly tier: string; readonly state: string; readonly seconds: number }[];
  /** What took part, such as `postgres`: `16.14`. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface ProofRow extends Proof {
  /** ULID. */
  readonly id: string;
  readonly run: string;
  readonly at: string;
}

/** The ledger: rows are only ever added. */
export interface Proofs {
  /** With an event. Under the same key of an attempt nothing is added: the first one stands and is returned. */
  record(proof: Proof & { readonly key: string; readonly run: string }): Promise<ProofRow>;
  /** Newest first; `before` is the id of the last one of the page before. */
  list(filter: {
    readonly database?: string | undefined;
    readonly before?: string | undefined;
    readonly limit: number;
  }): Promise<ProofRow[]>;
  /** When each database was last restored and queried; one that never was is not there. */
  last(): Promise<Readonly<Record<string, string>>>;
}
