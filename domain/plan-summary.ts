import type { Holds, Plan, PlannedStep } from './plan.ts';

/** What an approver reads first. Steps are named by their position in the plan, from 1. */
export interface PlanSummary {
  /** Those that apply, from the plan's first step on, or from the one that the digest begins with. */
  readonly steps: number;
  readonly changes: number;
  readonly approvals: readonly number[];
  readonly estimate: {
    /** Of the steps that have an estimate; without the time that people take. */
    readonly seconds: number;
    /** How many steps have none. */
    readonly unknown: number;
  };
  readonly holds: readonly Held[];
  /** The first step without a way back. */
  readonly noReturn: number | null;
}

/** Something that users of the database notice while the run works. */
export interface Held {
  readonly what: string;
  readonly step: number;
  /** The step whose end ends it. */
  readonly until: number;
  /** A limit that the run keeps: over it, it gives up. */
  readonly atMostSeconds: number | null;
  /** By the estimates of its steps; null when one of them has none. */
  readonly aboutSeconds: number | null;
  /** People are asked meanwhile: it lasts as long as they take, too. */
  readonly asks: boolean;
}

export function summaryOf(plan: Pick<Plan, 'steps' | 'from'>): PlanSummary {
  const begin = plan.from === undefined ? 0 : Math.max(0, positionOf(plan, plan.from) - 1);
  const steps = plan.steps.flatMap((step, index) => (index < begin || step.applies === false ? [] : [{ step, position: index + 1 }]));
  const working = steps.filter(({ step }) => step.kind !== 'approval');
  const known = working.flatMap(({ step }) => (step.estimate.seconds === undefined ? [] : [step.estimate.seconds]));
  return {
    steps: steps.length,
    changes: steps.filter(({ step }) => step.kind === 'change').length,
    approvals: steps.filter(({ step }) => step.kind === 'approval').map(({ position }) => position),
    estimate: { seconds: sum(known), unknown: working.length - known.length },
    holds: steps.flatMap(({ step, position }) => holdsOf(step).map((holds) => held(plan, position, holds))),
    noReturn: steps.find(({ step }) => step.pointOfNoReturn === true)?.position ?? null,
  };
}

const holdsOf = (step: PlannedStep): readonly Holds[] => (step.applies === false ? [] : (step.holds ?? []));

function held(plan: Pick<Plan, 'steps'>, step: number, { what, until, atMostMs }: Holds): Held {
  const last = until === undefined ? step : Math.max(step, positionOf(plan, until));
  const all = plan.steps.slice(step - 1, last).filter((one) => one.applies !== false);
  const during = all.filter((one) => one.kind !== 'approval');
  const known = during.flatMap(({ estimate }) => (estimate.seconds === undefined ? [] : [estimate.seconds]));
  return {
    ...{ what, step, until: last },
    atMostSeconds: atMostMs === undefined ? null : atMostMs / 1_000,
    aboutSeconds: known.length === during.length ? sum(known) : null,
    asks: all.length > during.length,
  };
}

/** 0 for a step that the plan does not have. */
const positionOf = ({ steps }: Pick<Plan, 'steps'>, id: string): number => steps.findIndex((one) => one.id === id) + 1;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
