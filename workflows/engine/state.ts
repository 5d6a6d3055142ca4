import { setCurrentDetails, upsertSearchAttributes, type CancellationScope } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Admission, PlanRequest, StepChange } from '../../activities/engine/contract.ts';
import type { Choice, DecidedBy, ParkedChoice, Question } from '../../domain/decision.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { OutlineStep, PlanOutline } from '../../domain/plan.ts';
import type { RunState } from '../../domain/run.ts';
import type { StepState } from '../../domain/step.ts';
import type { Verb } from './work.ts';

/** What a run has to take back: registered before the step acts, so it must be right when the change never happened. */
export interface Undo {
  readonly step: string;
  readonly title: string;
  readonly generation: number;
  readonly verb: Verb<never, unknown>;
  readonly input: unknown;
}

export interface StepStanding {
  state: StepState;
  generation: number;
  /** When this generation began, and when it was done: milliseconds, by the workflow's clock. */
  began?: number;
  done?: number;
}

/** What a run waits for, as a later execution needs it to ask the same question again. */
export type Pending =
  | { readonly kind: 'approval'; readonly step: string; readonly lapse?: FailureReport }
  | {
      readonly kind: 'parked';
      readonly step: string;
      readonly failure: FailureReport;
      readonly redo?: string;
      readonly choices?: readonly ParkedChoice[];
    };

/** A question that is open now, with its answer once it is settled. */
export interface OpenQuestion extends Omit<Question, 'opening' | 'deadline'> {
  /** After a reset it may be another one; known for sure when it is no longer `opens`. */
  opening: number;
  opens: boolean;
  answer?: Choice;
  /** Who gave it. */
  by?: DecidedBy;
  /** It was given, and the way made for the next step, before the run was told anew. */
  given?: true;
  /** Of an approval: the plan that it covers. */
  readonly covers?: PlanRequest;
  /** The plan as it was confirmed with the answer; the question is closed. */
  confirmed?: PlanOutline;
  /** Its deadline has passed: who was heard before still counts, nobody else is. */
  late?: boolean;
  /** How the next execution asks it again; without it the run is not continued while it is open. */
  again?: Pending;
}

/** Everything that the engine remembers of one run. */
export interface RunMemory {
  readonly runbook: string;
  state: RunState;
  admission?: Admission;
  outline?: PlanOutline;
  readonly steps: Map<string, StepStanding>;
  /** What the steps that are done have told the story. */
  readonly results: Map<string, unknown>;
  readonly openings: Map<string, number>;
  undos: Undo[];
  question?: OpenQuestion;
  /** What an earlier execution waited for, until the story gets there again. */
  pending?: Pending;
  /** Decisions that have come and are not judged yet; they are judged one after the other. */
  unjudged: number;
  judging: Promise<unknown>;
  lease: boolean;
  /** A change has begun: from here on an end needs an undo. */
  changed: boolean;
  pastNoReturn: boolean;
  cancelled?: DecidedBy;
  /** How it ends is settled; nobody is heard any more. */
  ending: boolean;
  /** This execution is over; the next one goes on. */
  continues?: boolean;
  /** The scope of the activity that is running, which a cancel ends. */
  scope?: CancellationScope;
  failure?: FailureReport;
}

export function newMemory(runbook: string): RunMemory {
  return {
    runbook,
    state: 'planning',
    steps: new Map(),
    results: new Map(),
    openings: new Map(),
    undos: [],
    unjudged: 0,
    judging: Promise.resolve(),
    lease: false,
    changed: false,
    pastNoReturn: false,
    ending: false,
  };
}

/** The outline's line of a step. A story that names a step the plan doesn't have is a mistake of ours. */
export function lineOf(memory: RunMemory, id: string): OutlineStep {
  const line = memory.outline?.steps.find((one) => one.id === id);
  if (!line) throw new Error(`the plan has no step ${id}`);
  return line;
}

/** How the step stands; `pending` when it has not begun. */
export function standingOf(memory: RunMemory, id: string): StepStanding {
  const standing = memory.steps.get(id) ?? { state: 'pending', generation: 1 };
  memory.steps.set(id, standing);
  return standing;
}

/** Done, or settled by people's word: a story that is begun anew passes over it. */
export function isSettled({ state }: StepStanding): boolean {
  return state === 'done' || state === 'skipped' || state === 'marked-done';
}

/** The ids of the steps from `from` to `to` that the plan needs, in its order. */
export function stretch(memory: RunMemory, from: string, to: string): string[] {
  const steps = memory.outline?.steps ?? [];
  const first = steps.indexOf(lineOf(memory, from));
  return steps.slice(first, steps.indexOf(lineOf(memory, to)) + 1).flatMap(({ id, applies }) => (applies ? [id] : []));
}

/** What is under way goes on no more: the run turns back, or ends. Returns what was stopped, for the record. */
export function stopSteps(memory: RunMemory): StepChange[] {
  const open = [...memory.steps].filter(([, standing]) => standing.state === 'running' || standing.state === 'waiting');
  return open.map(([id, standing]) => {
    standing.state = 'stopped';
    return { id, state: 'stopped', generation: standing.generation };
  });
}

const runState = defineSearchAttributeKey('RunbookState', SearchAttributeType.KEYWORD);

/** The state as operators see it in Temporal's UI: search attribute (per state, not per step) and the table of steps. */
export function show(memory: RunMemory, state: RunState = memory.state): void {
  if (state !== memory.state) upsertSearchAttributes([{ key: runState, value: state }]);
  memory.state = state;
  setCurrentDetails(details(memory));
}

const marks: Record<StepState, string> = {
  pending: '·',
  absent: '–',
  running: '▶',
  waiting: '?',
  done: '✓',
  failed: '✗',
  skipped: '↷',
  'marked-done': '✓ by hand',
  undoing: '↶',
  undone: '↶ undone',
  'undo-failed': '✗ undo failed',
  stopped: '■ not finished',
  rejected: '⊘ rejected',
  expired: '⊘ expired',
};

function details(memory: RunMemory): string {
  const rows = (memory.outline?.steps ?? []).map((step, index) => {
    const standing = memory.steps.get(step.id);
    const again = (standing?.generation ?? 1) > 1 ? ` (start ${standing?.generation})` : '';
    return `| ${index + 1} | ${step.title}${again} | ${marks[standing?.state ?? (step.applies ? 'pending' : 'absent')]} |`;
  });
  const question = memory.question ? [`\nOpen question: **${memory.question.approval}** (${memory.question.choices.join(', ')})`] : [];
  const failure = memory.failure ? [`\n${memory.failure.code}: ${memory.failure.message}`] : [];
  return [`**${memory.state}**\n`, '| | step | |', '| --- | --- | --- |', ...rows, ...question, ...failure].join('\n');
}
