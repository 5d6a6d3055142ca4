import type { AnsweredQuestion } from '../domain/answer.ts';
import type { Agreement, Nudge, QuorumLine } from '../domain/approval.ts';
import type { Choice, Question } from '../domain/decision.ts';
import type { FailureReport } from '../domain/failure.ts';
import type { Outcome, RunState } from '../domain/run.ts';
import type { TokenKind } from '../domain/token.ts';
import type { RunChange } from './run-change.ts';

/** Whether a decision counts, and why. */
export interface Judgement {
  readonly counts: boolean;
  readonly because: string;
}

export interface OpenQuestion extends Question {
  readonly run: string;
  readonly quorum: readonly QuorumLine[];
  readonly requester: string;
  readonly failure: FailureReport | null;
  readonly openedAt: string;
  readonly agreements: readonly Agreement[];
  /** Its reminders and escalations, in order of time. */
  readonly chain: readonly Nudge[];
}

export interface DecisionRow {
  readonly id: string;
  readonly run: string;
  readonly approval: string;
  readonly opening: number;
  readonly digest: string;
  readonly choice: Choice;
  readonly person: string;
  /** Whether a person said it, or a service by a token of its own. */
  readonly kind: TokenKind;
  readonly groups: readonly string[];
  readonly channel: string;
  readonly reason: string | null;
  readonly at: string;
  /** null until the workflow has judged it. */
  readonly counts: boolean | null;
  readonly because: string | null;
}

/** A question that may be closed by now; then it has an answer. */
export type ClosableQuestion = OpenQuestion & { readonly answer: string | null };

/** The run of an answer, and the question that the answer names. */
export interface AnswerContext {
  readonly run: string;
  readonly database: string;
  readonly requester: string;
  readonly state: RunState;
  readonly outcome: Outcome | null;
  /** The run is past its point of no return. */
  readonly forward: boolean;
  /** null when nobody asked it, and for a cancel. */
  readonly question: AnsweredQuestion | null;
  /** The accounts that have answers to it which are not judged yet. */
  readonly unjudged: readonly string[];
}

export interface Questions {
  /** Opens it; opening the same (run, approval, opening) again is harmless. Returns it as it stands. */
  open(question: {
    run: string;
    approval: string;
    opening: number;
    kind: Question['kind'];
    digest: string;
    choices: readonly Choice[];
    quorum: readonly QuorumLine[];
    deadline?: string;
    failure?: FailureReport;
    chain?: readonly Nudge[];
  }): Promise<OpenQuestion>;
  /**
   * What stands in this place of the chain happens: its time is noted, its quorum holds, an event tells it. Nothing happens when it
   * has happened before or the question is closed.
   */
  nudge(question: OpenQuestion, place: number): Promise<void>;
  find(run: string, approval: string, opening: number): Promise<ClosableQuestion | null>;
  /** What an answer is judged by, read by one statement; the run by its workflow id or its ULID. null without such a run. */
  answerContext(runOrId: string, approval: string, opening: number): Promise<AnswerContext | null>;
  /** In one transaction with the `change` of the run. Closing it again changes nothing of the question. */
  close(question: { run: string; approval: string; opening: number }, answer: string, change?: RunChange): Promise<void>;
  /**
   * A person answered: row and event. The workflow judges it afterwards, unless it is `rejected`: it can't count, for this reason, and
   * is not sent. Throws `too-many-answers` when the person has as many rows for the question as one may have.
   */
  decide(decision: {
    id: string;
    run: string;
    approval: string;
    opening: number;
    digest: string;
    choice: Choice;
    person: string;
    /** Default a person. */
    kind?: TokenKind;
    groups: readonly string[];
    channel: string;
    reason?: string;
    rejected?: string;
  }): Promise<DecisionRow>;
  decision(id: string): Promise<DecisionRow | null>;
  /** The same with the question that it answers, both read by one statement; the question is null when nobody asked it. */
  withQuestion(id: string): Promise<{ decision: DecisionRow; question: ClosableQuestion | null } | null>;
  /**
   * The workflow's judgement, with an event; the first one stands. Returns the one that stands, and the decisions that count for the
   * question.
   */
  judge(id: string, judgement: Judgement): Promise<Judgement & { readonly agreements: readonly Agreement[] }>;
  /** The run has it for good. Harmless to repeat. */
  delivered(id: string): Promise<void>;
  /** Decisions that were made so long ago, were not refused and are not delivered, the oldest first; a hundred at most. */
  undelivered(olderThanMs: number): Promise<DecisionRow[]>;
}
