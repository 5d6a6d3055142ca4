import type { Outcome, RunState } from '../domain/run.ts';
import type { Before } from '../domain/step.ts';
import type { Actor } from './actor.ts';

// Who may change a database, and what a run was about to do there.

export interface LeaseRow {
  readonly database: string;
  readonly holder: string;
  readonly epoch: number;
  readonly state: 'held' | 'free' | 'orphaned';
  readonly since: string;
}

/** A run that may still take the lease of a database: it waits for that, or for something else that comes first, such as people. */
export interface InLine {
  readonly run: string;
  /** Whether it waits for the lease; a run that doesn't is refused when somebody has it by then. */
  readonly queued: boolean;
  /** ISO time at which it gives up; null for one that does not wait. */
  readonly deadline: string | null;
  /** Its time is over: it stands in nobody's way any more. */
  readonly late: boolean;
  /** Whether its workflow is known to be started. */
  readonly started: boolean;
}

export interface PlaceInLine {
  /** Whose lease it waits for: its own database's, or that of another one that it names. */
  readonly database: string;
  /** 1 for the run whose turn is next. */
  readonly place: number;
  /** The run that holds what it waits for, or held it last; null when nobody ever did. */
  readonly holder: string | null;
  readonly state: LeaseRow['state'];
  readonly since: string | null;
  /** When it gives up. */
  readonly deadline: string;
  /** The run whose turn is next, and the title of what that asks people; null when it is this one's. */
  readonly first: { readonly run: string; readonly state: RunState; readonly asks: string | null } | null;
}

/** A lease in the list of all. */
export interface LeaseLine extends LeaseRow {
  /** Why it is as it is: what its run does, or what it left; for a free one that runs wait for, whose turn it is. */
  readonly why: string | null;
  /** How many runs wait for it. */
  readonly waiting: number;
}

export interface Leases {
  /** All that were ever taken, by database. */
  list(): Promise<LeaseLine[]>;
  /**
   * Takes it for `run`: a no-op for its holder (same epoch). `holderOpen` is asked, outside the transaction, whether another
   * holder's workflow still runs; a holder that closed without giving it back leaves it free when nothing of it is left (see
   * `attempts.unsettled`), else `orphaned`. Throws `lease-held` (facts.holder) or `lease-orphaned` (facts.holder, facts.left).
   * A run that was reset after its lease was orphaned gets it back, with the same epoch.
   */
  take(database: string, run: string, holderOpen: (run: string) => Promise<boolean>): Promise<{ epoch: number }>;
  find(database: string): Promise<LeaseRow | null>;
  /** The open runs that never held it and may still take it, in the order in which they were asked for. */
  line(database: string): Promise<InLine[]>;
  /**
   * By a person, with a reason; audited. Releasing a free one is harmless. Throws `conflict` when it is held by a run that is
   * still open, `not-found` when nobody ever took it.
   */
  release(database: string, by: Actor, reason: string, holderOpen: (run: string) => Promise<boolean>): Promise<void>;
}

export interface Intent {
  readonly key: string;
  readonly run: string;
  readonly step: string;
  readonly before: Before;
  readonly at: string;
  readonly outcome: string | null;
}

export interface Attempts {
  /**
   * A new attempt of this key: its number (from 1, one more each time), its saved before-image if there is one, and for
   * `…/undo` keys what the step itself had intended. Marks the step's row as running with this attempt number.
   */
  claim(attempt: {
    key: string;
    run: string;
    step: string;
    generation: number;
    undo: boolean;
  }): Promise<{ number: number; intended: Before | null }>;
  /** Throws `superseded` when `number` is not the newest of the key, `lease-lost` when the run does not hold the lease, or another one that it had taken. */
  current(attempt: { key: string; number: number; run: string; database: string }): Promise<void>;
  /**
   * Audit row, lease check and before-image in one transaction; returns the first before-image. Throws as `current` does, and
   * always needs the lease. Called again by the same attempt it writes nothing. The audit has the image's digest, not the image.
   */
  intend(attempt: { key: string; number: number; run: string; step: string; database: string; before: Before }): Promise<Before>;
  /**
   * The outcome of the key, with an event. Writing the same again is harmless. An attempt that has given way is heard only while
   * there is no outcome: its effect is real. Throws `internal` for a key that was never claimed.
   */
  settle(attempt: { key: string; number: number; run: string; step: string }, outcome: string): Promise<void>;
  /**
   * What the run leaves behind if it ends now: its intents, made or still open, whose undo has no outcome. An effect that was
   * made is something left: a terminated run leaves its publication and slot. Empty once the run is closed as `succeeded`, and
   * only then: whoever closes a run that succeeded does not ask this.
   */
  unsettled(run: string): Promise<Intent[]>;
  /** All intents of the run, oldest first: its journal. */
  journal(run: string): Promise<Intent[]>;
}

/** What a run that has ended left behind; its leases are its own still. */
export interface Leftover {
  readonly run: string;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly outcome: Outcome;
  readonly because: string | null;
  readonly closedAt: string;
  /** Digest of the plan that it followed. */
  readonly plan: string | null;
  /** `held`: it is being cleared up. */
  readonly lease: 'held' | 'orphaned';
  /** The databases whose lease it has still. */
  readonly leases: readonly string[];
  /** It went past its point of no return. */
  readonly noReturn: boolean;
  /** What it made or began and did not take back, oldest first. */
  readonly intents: readonly Intent[];
}

export interface Leftovers {
  /** The runs that have ended and whose leases nobody has released, the one that ended first first. */
  list(): Promise<Leftover[]>;
  find(run: string): Promise<Leftover | null>;
  /** Other runs that have begun to change one of these databases since this one has ended. */
  changedSince(leftover: Leftover, databases: readonly string[]): Promise<string[]>;
  /**
   * What came of an asking to take it back: what is left now, and the leases free when nothing is; with events in the name of who
   * asked. Once for each asking (`asked` is its event's number): repeating it is harmless.
   */
  cleared(clearing: {
    run: string;
    /** Those whose lease it has. */
    databases: readonly string[];
    asked: number;
    by: Actor;
    reason: string;
    /** null: it was refused, and `because` says why. */
    left: readonly string[] | null;
    because?: string;
  }): Promise<void>;
}

/** The one row that decides which side is in charge after a switch: a compare-and-set, never changed once set. */
export interface NoReturn {
  /** null while nobody has decided. */
  read(key: string): Promise<{ side: 'forward' | 'back'; facts: Readonly<Record<string, unknown>> } | null>;
  /**
   * Sets it if it is not set, in a transaction with the attempt's fence (throws `superseded`), and returns what stands now.
   * `forward` also needs every lease of the run (throws `lease-lost`): without it the old side serves on. `back` never does.
   */
  decide(
    key: string,
    attempt: { number: number; attemptKey: string; run: string; database: string },
    side: 'forward' | 'back',
    facts: Readonly<Record<string, unknown>>,
  ): Promise<'forward' | 'back'>;
}

/** A database that a run has moved away from its server: what the inventory should say now. */
export interface Move {
  readonly run: string;
  /** As the inventory called it then. */
  readonly target: string;
  readonly at: string;
  readonly server: { readonly host: string; readonly port: number; readonly dbname: string };
}

/** Where databases have gone: the switches that went forward, with the servers that their plans knew. */
export interface Moves {
  /**
   * The last switch that this database took part in, if that one moved it away; null when none did, or it has come back since.
   * By its identity, or by its address when it lets nobody in to ask.
   */
  from(
    place:
      | { readonly systemIdentifier: string; readonly databaseOid: number }
      | { readonly host: string; readonly port: number; readonly dbname: string },
  ): Promise<Move | null>;
}
