import type { QuorumLine } from '../domain/approval.ts';
import type { FailureReport } from '../domain/failure.ts';
import type { Outcome, Risk, RunState } from '../domain/run.ts';
import type { Progress, StepState } from '../domain/step.ts';
import type { Actor } from './actor.ts';
import type { Events } from './event-contract.ts';
import type { FreezeRow, Freezes } from './freeze-contract.ts';
import type { Attempts, Leases, Leftovers, Moves, NoReturn, PlaceInLine } from './journal-contract.ts';
import type { Proofs } from './proof-contract.ts';
import type { Counts, SchemaGap } from './service-contract.ts';
import type { DecisionRow, OpenQuestion, Questions } from './question-contract.ts';
import type { RunChange, StepChange } from './run-change.ts';
import type { OpenRun, Requests } from './request-contract.ts';
import type { Tokens } from './token-contract.ts';

export type { Actor } from './actor.ts';
export type { FreezeRow, Freezes } from './freeze-contract.ts';
export type { EventFilter, EventRow, Events, Verification } from './event-contract.ts';
export type {
  Attempts,
  Intent,
  LeaseLine,
  LeaseRow,
  Leases,
  Leftover,
  Leftovers,
  Move,
  Moves,
  NoReturn,
  PlaceInLine,
  InLine,
} from './journal-contract.ts';
export { proofLevels } from './proof-contract.ts';
export type { Proof, Proofs } from './proof-contract.ts';
export type { Counts, SchemaGap } from './service-contract.ts';
export type { AnswerContext, ClosableQuestion, DecisionRow, OpenQuestion, Questions } from './question-contract.ts';
export type { RunChange, StepChange } from './run-change.ts';
export type { Delayed, NewRequest, OpenRun, Request, Requests } from './request-contract.ts';
export type { NewToken, TokenRow, Tokens } from './token-contract.ts';

/**
 * The control database as the rest sees it. Every write that people may ask about later appends to the one `events` stream in
 * the same transaction: the stream is the audit (hash-chained, append-only) and the source of every list.
 */
export interface Control {
  readonly requests: Requests;
  readonly runs: Runs;
  readonly events: Events;
  readonly questions: Questions;
  readonly lease: Leases;
  readonly freezes: Freezes;
  readonly attempts: Attempts;
  readonly leftovers: Leftovers;
  readonly noReturn: NoReturn;
  readonly moves: Moves;
  readonly proofs: Proofs;
  readonly documents: Documents;
  readonly tokens: Tokens;
  /** Throws `control-database-unavailable` when it does not answer. */
  ping(): Promise<void>;
  /** How the database's schema and the program's differ. */
  schemaGap(): Promise<SchemaGap>;
  counts(): Promise<Counts>;
  /** `pg_control_system().system_identifier` of the server it is on: no run may change that server. */
  systemIdentifier(): Promise<string>;
  close(): Promise<void>;
}

export interface StepRow {
  readonly id: string;
  readonly position: number;
  readonly kind: string;
  readonly title: string;
  readonly state: StepState;
  readonly generation: number;
  readonly attempt: number;
  /** How many attempts gave way to a newer one, without acting any more. */
  readonly superseded: number;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly progress: Progress | null;
  /** Why it is absent, skipped, or who marked it done. */
  readonly because: string | null;
  readonly failure: FailureReport | null;
}

export interface RunRow {
  readonly run: string;
  readonly runbook: string;
  readonly database: string;
  readonly state: RunState;
  readonly outcome: Outcome | null;
  readonly because: string | null;
  readonly left: readonly string[];
  readonly requester: string;
  readonly risk: Risk;
  readonly ticket: string | null;
  readonly input: Readonly<Record<string, unknown>>;
  readonly requestedAt: string;
  readonly closedAt: string | null;
  /** Digest of the plan that is being followed; null before it is made. */
  readonly plan: string | null;
  readonly failure: FailureReport | null;
  /** While it waits for the lease; null before and after, and for a run that does not wait. */
  readonly waits: PlaceInLine | null;
  /** The freeze that stops it: its next change waits for the end of that. */
  readonly frozen: FreezeRow | null;
  /** Who let it pass freezes and the policy's quorum, and why; it stays for ever. */
  readonly breakGlass: Said | null;
  /** Who has looked at it since. */
  readonly review: Said | null;
}

/** A person's word. */
export interface Said {
  readonly person: string;
  readonly reason: string;
  readonly at: string;
}

export interface RunDetail extends RunRow {
  readonly steps: readonly StepRow[];
  readonly questions: readonly OpenQuestion[];
  readonly decisions: readonly DecisionRow[];
  /** What the steps proved, by name. */
  readonly evidence: Readonly<Record<string, unknown>>;
}

export interface StepPace {
  /** The median. */
  readonly seconds: number;
  /** Whether it is of this very database. */
  readonly own: boolean;
  /** The median, for a step that moves bytes; of all databases. */
  readonly bytesPerSecond?: number;
}

export interface RunFilter {
  readonly database?: string | undefined;
  readonly runbook?: string | undefined;
  readonly state?: RunState | undefined;
  readonly outcome?: Outcome | undefined;
  readonly requester?: string | undefined;
  /** Those that broke the glass; those of them that are closed and nobody has reviewed. */
  readonly breakGlass?: 'used' | 'not-reviewed' | undefined;
  /** Asked for at this time or later, and before the other one: ISO 8601. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** The ULID of the last run of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** A run's row alone: without its place in the queue and the freeze, which other tables decide. */
export type RunRecord = Omit<RunRow, 'waits' | 'frozen'>;

export interface Runs {
  find(run: string): Promise<RunRow | null>;
  /** By workflow id or by ULID alone. Costs a fraction of `find` and `detail`, which the server plans for some milliseconds. */
  record(runOrId: string): Promise<RunRecord | null>;
  /** By workflow id or by ULID alone. */
  detail(runOrId: string): Promise<RunDetail | null>;
  /** Newest first. A run that is asked for meanwhile is on no page that comes after, so pages have no gap and nothing twice. */
  list(filter: RunFilter): Promise<RunRow[]>;
  /** The ids of the runs that are not closed and were started, oldest first: the API compares them with Temporal. */
  open(): Promise<string[]>;
  /** Those of these databases, ten at most: who holds a lease comes first, then the oldest. `but`: leaves this run out. */
  openOn(databases: readonly string[], but?: string): Promise<OpenRun[]>;
  /**
   * The plan is followed from now on: run row, step rows (absent ones too; rows of done steps are kept) and event; in one transaction
   * with the `change`.
   */
  planned(
    run: string,
    plan: {
      digest: string;
      steps: readonly { id: string; kind: string; title: string; applies: boolean; because?: string }[];
      change?: RunChange;
    },
  ): Promise<void>;
  /**
   * State and steps change in one transaction, with one event for the state and one for each step. Repeating it makes no second
   * event; a closed run stays as it is. Throws `not-found`, and `internal` for a step that the plan does not have.
   */
  change(run: string, change: RunChange): Promise<void>;
  /** Not an event: shown until the next one overwrites it. Nothing happens for a step that the plan does not have. */
  progress(run: string, step: string, progress: Progress): Promise<void>;
  /**
   * The attempt has done its step: the fence, what the step proved (merged into the run's evidence; what was proved first under
   * the key stands) and the step's state in one transaction, with an event for each that is news. Throws `superseded` when `number` is not the newest of the key any more.
   */
  finish(run: string, done: { key: string; number: number; step: StepChange; evidence?: Readonly<Record<string, unknown>> }): Promise<void>;
  /**
   * Ends it: state `closed`, outcome, event; closes its open questions; frees the lease that it holds when `free`, else marks it
   * `orphaned`. A second call with the same outcome is harmless, with another one ignored (the first stands).
   */
  close(
    run: string,
    ending: { outcome: Outcome; because?: string; left?: readonly string[]; failure?: FailureReport; free: boolean; actor?: Actor },
  ): Promise<void>;
  /**
   * Freezes and the policy's quorum stop it no more; its open approval asks `quorum` from now on. With an event. When somebody did
   * before, that stands. Throws `conflict` for a closed run.
   */
  breakGlass(run: string, by: Actor, reason: string, quorum: readonly QuorumLine[]): Promise<void>;
  /** Once, when it is closed; with an event. Throws `conflict` when there is nothing to review (any more). */
  review(run: string, by: Actor, reason: string): Promise<void>;
  /** How long each step took in earlier runs that finished it: in runs of this database if there are any, else in all. */
  stepPaces(runbook: string, database: string): Promise<Readonly<Record<string, StepPace>>>;
}

/** Plans, facts, findings: JSON under its digest; storing the same twice is harmless, the first body stands. */
export interface Documents {
  put(kind: 'plan' | 'facts' | 'findings', digest: string, body: unknown): Promise<void>;
  /** Throws `not-found`. */
  get(digest: string): Promise<unknown>;
}
