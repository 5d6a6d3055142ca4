import type { QuorumLine } from '../../domain/approval.ts';
import type { Authorisation, Choice, DecidedBy, DecisionMessage, Question } from '../../domain/decision.ts';
import type { FailureCode, FailureReport } from '../../domain/failure.ts';
import type { ApprovalRule } from '../../domain/inventory.ts';
import type { PlanOutline } from '../../domain/plan.ts';
import type { Outcome, Risk, RunStart, RunState } from '../../domain/run.ts';
import type { StepState } from '../../domain/step.ts';
import type { WorkOf } from '../work.ts';

/** What the engine itself needs from the world: the control database. The run is the attempt's. */
export interface EngineActivities {
  /** The first activity of every run: the request row, the schema and the policy, again, inside the worker. */
  admit(start: RunStart & { runbook: string }): Promise<Admission>;
  /** Takes the facts and makes the plan, stores both; its digest is that of the steps from `from` on (of all when absent). */
  plan(request: PlanRequest): Promise<Planned>;
  /** Takes the lease; a no-op for its holder. Raises `lease-held` or `lease-orphaned`, and `conflict` when the run is closed. */
  takeLease(request: { database: string }): Promise<{ epoch: number }>;
  /**
   * Answers `not-yet` until it is the run's turn, in the order in which runs were asked for, then takes the lease. Raises
   * `lease-held` or `lease-orphaned` when its time to wait is over, and `conflict` when the run is closed.
   */
  awaitLease(request: { database: string }): Promise<{ epoch: number }>;
  /** Opens a question and shows the run as waiting or parked. Opening the same twice is harmless. Raises `conflict` when the run is closed. */
  ask(asking: Asking): Promise<Asked>;
  /**
   * Whether a decision counts, by its row, the person's groups now and the policy; and whether it settles the question. When it gives
   * an approval, the lease is taken and the plan made at once, and the question closed when that is the plan people agreed to.
   */
  authorise(message: Judging): Promise<Judged>;
  /** People are reminded, or others may answer from now on. Harmless to repeat; nothing happens when the question is closed. */
  nudge(nudge: NudgeCall): Promise<Nudged>;
  /** The question is over; the run goes on in `state`. */
  closeQuestion(closing: Closing): Promise<void>;
  /** The run's state and steps change: one transaction, one event each. */
  record(change: RunChange): Promise<void>;
  /** Returns when no freeze stops the run (any more); until then it shows as waiting, and the step says for what. */
  standStill(at: { step: string; generation: number }): Promise<void>;
  /** Returns when the control database answers, however long that takes. */
  standBy(): Promise<void>;
  /** Whether the switch went forward: the row that decides it stands in the control database. */
  pastNoReturn(): Promise<boolean>;
  /**
   * For a run that has ended: takes its lease up again, in the name of who asked for it, and says what is to be taken back, the
   * last change first. Raises `request-unknown` when nobody asked, and `conflict` when it would not be safe.
   */
  reclaim(request: { asked: number }): Promise<{ undos: readonly LeftUndo[] }>;
  /** What came of it: what is left now (null: it was refused); the lease is free when nothing is. Harmless to repeat. */
  cleared(clearing: Cleared): Promise<void>;
  /** Ends the run: outcome, what is left; the lease is freed when nothing is. */
  close(ending: { outcome: Outcome; because?: string; left: readonly string[]; failure?: FailureReport }): Promise<void>;
}

export interface Admission {
  readonly database: string;
  readonly requester: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly risk: Risk;
  readonly approval: ApprovalRule;
  readonly ticket: string | null;
  /** It stands in line for the lease, which it takes before it plans. */
  readonly waits?: true;
}

/** A change of a run that has ended, and its undo. */
export interface LeftUndo {
  readonly step: string;
  readonly title: string;
  readonly generation: number;
  /** The activity's name. */
  readonly verb: string;
  readonly input: unknown;
}

export interface Cleared {
  readonly asked: number;
  readonly left: readonly string[] | null;
  readonly because?: string;
}

export interface PlanRequest {
  readonly runbook: string;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly from?: string;
  /** The digest of the plan that people agreed to: what differs from it is told. */
  readonly agreed?: string;
}

export interface Planned extends PlanOutline {
  /** What is another than in the plan that was agreed to, a short line each. */
  readonly changes?: readonly string[];
}

/** A decision as the run hands it to be judged. */
export interface Judging extends DecisionMessage {
  /** The run's own reason against it. */
  readonly refuse?: string;
  /** What is to be confirmed when it gives the approval. */
  readonly confirm?: Confirmation;
}

export interface Confirmation {
  /** What the approval covers, with the digest that people are asked to agree to. */
  readonly plan: PlanRequest & { readonly agreed: string };
  /** The run does not have the lease yet. */
  readonly takesLease: boolean;
}

/** With the plan as it was confirmed. It is absent when it could not be, was another one, or took long: the question is open then. */
export type Judged = Authorisation & { readonly confirmed?: Planned };

export interface Asking {
  readonly approval: string;
  readonly kind: Question['kind'];
  /** The one to begin with: after a reset it may be taken. */
  readonly opening: number;
  readonly generation: number;
  readonly digest: string;
  readonly choices: readonly Choice[];
  readonly deadlineMs?: number;
  /** What the policy asked for at admission; it holds when the policy of now asks nobody. */
  readonly quorum?: readonly QuorumLine[];
  readonly failure?: FailureReport;
}

export interface Asked {
  readonly opening: number;
  /** What people had said to just this question before a reset; null as a rule. */
  readonly answer: Choice | null;
  /** Who gave it. */
  readonly by?: DecidedBy;
  /** Until its deadline. */
  readonly leftMs?: number;
  /** What is to happen while nobody has settled it, in order: its place in the question's chain, and how long until then. */
  readonly nudges?: readonly { readonly place: number; readonly inMs: number }[];
}

export interface NudgeCall {
  readonly approval: string;
  readonly opening: number;
  readonly place: number;
}

/** Whether what people have said settles the question as it stands by now. */
export interface Nudged {
  readonly settled: Choice | null;
  readonly by?: DecidedBy;
}

export interface Closing {
  readonly approval: string;
  readonly kind: Question['kind'];
  readonly opening: number;
  readonly answer: Choice | 'expired' | 'lapsed';
  readonly by?: DecidedBy;
  readonly state: RunState;
  readonly step?: StepState;
  readonly generation: number;
}

export interface RunChange {
  readonly state?: RunState;
  readonly steps?: readonly StepChange[];
}

export interface StepChange {
  readonly id: string;
  readonly state: StepState;
  readonly generation: number;
  readonly because?: string;
  readonly failure?: FailureReport;
}

export const engineWork: WorkOf<EngineActivities> = {
  admit: 'engine',
  plan: 'look',
  takeLease: 'engine',
  awaitLease: 'wait',
  ask: 'engine',
  authorise: 'engine',
  nudge: 'engine',
  closeQuestion: 'engine',
  record: 'engine',
  standStill: 'engine',
  standBy: 'engine',
  pastNoReturn: 'engine',
  reclaim: 'engine',
  cleared: 'engine',
  close: 'engine',
};

/**
 * What the way from a request, or a person's answer, to the next step consists of: each is tried on the spot before it is called
 * by the server. The workflow task that it runs in may be lost, and with it the answer, though not the effect; so only what finds
 * its own effect again, whatever else the run hears before it is told anew, may stand here. A run's end does not.
 */
export const onTheSpot: readonly (keyof EngineActivities)[] = ['admit', 'plan', 'takeLease', 'authorise', 'closeQuestion'];

/**
 * The answers that end an activity of the kind `engine`. Whatever else goes wrong with it is tried again until somebody has
 * mended it: the run stands still, it doesn't end and takes nothing back.
 */
export const engineVerdicts: Readonly<Record<Exclude<keyof EngineActivities, 'plan'>, readonly FailureCode[]>> = {
  admit: [
    'request-unknown',
    'input-invalid',
    'not-found',
    'forbidden',
    'plan-impossible',
    'lease-held',
    'lease-orphaned',
    'frozen',
    'conflict',
  ],
  takeLease: ['lease-held', 'lease-orphaned', 'conflict'],
  awaitLease: ['lease-held', 'lease-orphaned', 'conflict'],
  ask: ['conflict'],
  authorise: [],
  nudge: [],
  closeQuestion: [],
  record: [],
  standStill: [],
  standBy: [],
  pastNoReturn: [],
  reclaim: ['request-unknown', 'conflict', 'lease-held', 'lease-orphaned', 'not-found'],
  cleared: [],
  close: [],
};
