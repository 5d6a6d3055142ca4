/** How the migrations of this program and those of the control database differ; both empty when they fit. */
export interface SchemaGap {
  /** That the program needs and the database does not have, or has with another content. */
  readonly missing: readonly string[];
  /** That the database has and the program does not know: of a newer version. */
  readonly unknown: readonly string[];
}

/** How many there are of something, and since when the oldest of them waits. */
export interface Waiting {
  readonly count: number;
  readonly oldestSeconds: number;
}

/** What is there now, in numbers. */
export interface Counts {
  /** By state; closed ones by outcome. */
  readonly runs: Readonly<Record<string, number>>;
  readonly closed: Readonly<Record<string, number>>;
  /** Of the runs that are open, by state. */
  readonly steps: Readonly<Record<string, number>>;
  /** Open ones, by kind: `approval` and `parked`. */
  readonly questions: Readonly<Record<string, Waiting>>;
  /** By state: `held` and `orphaned`. */
  readonly leases: Readonly<Record<string, number>>;
  /** Runs that are written down and not known to be started. */
  readonly unstarted: Waiting;
}
