/** What one client did: its n run from 1 without a gap, so two numbers say it all. */
export interface ClientReport {
  readonly client: number;
  /** The highest n that was acknowledged; all below it were too. */
  readonly acknowledged: number;
  /** The highest n that was ever sent. */
  readonly attempted: number;
  /** Whether the last n was still in doubt at the end. */
  readonly unresolved: boolean;
}

export interface Gap {
  readonly ms: number;
  /** ISO times of the two acknowledged writes. */
  readonly from: string;
  readonly to: string;
}

/** What the load saw, as plain data: what `judge` holds against the database. */
export interface LoadReport {
  readonly clients: readonly ClientReport[];
  /** Of the first acknowledged write; `seconds` and the rate count from there. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly seconds: number;
  readonly acknowledged: number;
  readonly acknowledgedPerSecond: number;
  /** The longest time between two acknowledged writes of anybody, in milliseconds. */
  readonly longestWriteGapMs: number;
  /** The five longest, longest first. */
  readonly longestGaps: readonly Gap[];
  /** From the first attempt of a write to its acknowledgement, retries included, in milliseconds. */
  readonly longestLatencyMs: number;
  /** By SQLSTATE, or the driver's code. What only made a client try its next address is not an error. */
  readonly clientErrors: Readonly<Record<string, number>>;
  /** The first message of each code. */
  readonly firstErrors: Readonly<Record<string, string>>;
  /** Writes whose COMMIT got no clear answer. */
  readonly inDoubt: number;
  /** Those that the client's retry has settled. */
  readonly inDoubtResolved: number;
  readonly unresolved: number;
  /** Rows that were there although nobody had sent their COMMIT. */
  readonly unexplained: number;
  /** The highest value that each sequence has handed out to a client. */
  readonly handedOut: Readonly<Record<string, number>>;
}

/** Sent each second. */
export interface LoadStats {
  readonly acknowledged: number;
  /** In the last second. */
  readonly perSecond: number;
  /** Since the start. */
  readonly longestWriteGapMs: number;
  /** The longest that ended in the last second, or is still going on. */
  readonly recentGapMs: number;
  readonly sinceLastWriteMs: number;
  readonly clientErrors: number;
  readonly inDoubt: number;
}
