import type { ApprovalRule } from '../../domain/inventory.ts';
import type { Authorisation, Choice, DecisionMessage, Question } from '../../domain/decision.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { PlanOutline } from '../../domain/plan.ts';
import type { Outcome, Risk, RunStart, RunState } from '../../domain/run.ts';
import type { StepState } from '../../domain/step.ts';
import type { WorkOf } from '../attempt.ts';

/** What the engine itself needs from the world: the control database. */
export interface EngineActivities {
  /** The first activity of every run: the request row, the schema and the policy, again, inside the worker. */
  admit(start: RunStart & { runbook: string; database: string }): Promise<Admission>;
  /** Takes the facts and makes the plan of the steps from `from` on (all when absent), stores both, returns the outline. */
  plan(request: PlanRequest): Promise<PlanOutline>;
  /** Takes the lease; a no-op for its holder. Raises `lease-held` or `lease-orphaned`. */
  takeLease(): Promise<{ epoch: number }>;
  /** Opens (or opens again) a question: the row that people see and answer. */
  ask(asking: Asking): Promise<Question>;
  /** Whether a decision counts, by its row, the person's groups now and the policy; and whether it settles the question. */
  authorise(message: DecisionMessage): Promise<Authorisation>;
  /** The question is over: answered, expired, withdrawn. */
  closeQuestion(closing: { approval: string; opening: number; answer: Choice | 'expired' | 'lapsed' | 'closed' }): Promise<void>;
  /** The run's state and steps change: one transaction, one event each. */
  record(change: RunChange): Promise<void>;
  /** Ends the run: outcome, what is left, lease freed when nothing is. */
  close(ending: { outcome: Outcome; because?: string; left?: readonly string[]; failure?: FailureReport }): Promise<void>;
}

export interface Admission {
  readonly database: string;
  readonly requester: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly risk: Risk;
  readonly approval: ApprovalRule;
  readonly ticket?: string;
}

export interface PlanRequest {
  readonly runbook: string;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly from?: string;
}

export interface Asking {
  readonly approval: string;
  readonly kind: Question['kind'];
  readonly opening: number;
  readonly digest: string;
  readonly choices: readonly Choice[];
  readonly deadlineMs?: number;
  readonly failure?: FailureReport;
}

export interface RunChange {
  readonly state?: RunState;
  readonly steps?: readonly { readonly id: string; readonly state: StepState; readonly generation: number; readonly because?: string; readonly by?: string }[];
  readonly failure?: FailureReport;
}

export const engineWork: WorkOf<EngineActivities> = {
  admit: 'look',
  plan: 'look',
  takeLease: 'look',
  ask: 'look',
  authorise: 'look',
  closeQuestion: 'look',
  record: 'look',
  close: 'look',
};
