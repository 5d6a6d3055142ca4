import type { Control, Intent } from '../../control/contract.ts';
import { digestFrom, digestOf } from '../../domain/digest.ts';
import { Failure } from '../../domain/failure.ts';
import type { FactFinding } from '../../domain/finding.ts';
import type { Estimate, Facts, Plan, PlannedStep, StepPlan, StepPlans } from '../../domain/plan.ts';
import { requireProvider, type LookAtProvider } from '../../domain/require-provider.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import { gatherFindings, refuseBlocked, type Report } from './gather-findings.ts';
import { parseInput } from './parse-input.ts';

export interface PlanOrder {
  readonly runbook: string;
  readonly database: string;
  readonly input: unknown;
  /** The run that the plan is for: its own objects never stand in the facts. */
  readonly run?: string;
  /** The first step of what the digest covers. */
  readonly from?: string;
  /** What the run has intended so far, by a caller that only compares digests: the steps then have no estimates by earlier runs. */
  readonly journal?: readonly Intent[];
}

export interface Planner {
  /**
   * Looks at the world, read-only, and makes the plan. Raises `input-invalid`, `not-found`, `unreachable`, and one failure with every
   * finding of the facts that blocks, under the code of the first.
   */
  plan(order: PlanOrder): Promise<Made>;
  /** The same for people to read: what blocks is returned with the plan. Raises it only where no plan can be made. */
  preview(order: PlanOrder): Promise<Made & { findings: readonly FactFinding[] }>;
}

export interface Made {
  readonly plan: Plan;
  readonly facts: Facts;
}

export interface PlannerDependencies {
  readonly catalog: Readonly<Record<string, AnyRunbook>>;
  /** Absent where no runbook needs anything of a provider. */
  readonly provider?: LookAtProvider;
  /** The pure halves of the activities, by folder. */
  readonly commands: unknown;
  /** Takes the facts of a runbook. */
  readonly takeFacts: Readonly<Record<string, (order: FactsOrder) => Promise<Facts>>>;
  /** Absent with `plan --offline` when the control database is down, too: then no estimate comes from earlier runs. */
  readonly control?: Pick<Control, 'runs' | 'attempts'>;
}

export interface FactsOrder {
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly run?: string;
  /** What this run has intended so far, oldest first. */
  readonly journal: readonly Intent[];
  /** What stands against the run. A plan of a run is then refused, with all of it. */
  readonly report: Report;
}

export function createPlanner(dependencies: PlannerDependencies): Planner {
  return {
    plan: async (order) => {
      const { make, findings } = await look(dependencies, order);
      refuseBlocked(findings);
      return make();
    },
    preview: async (order) => {
      const { make, findings } = await look(dependencies, order);
      return { ...make(), findings };
    },
  };
}

interface Looked {
  readonly findings: readonly FactFinding[];
  make(): Made;
}

async function look({ catalog, commands, takeFacts, control, provider }: PlannerDependencies, order: PlanOrder): Promise<Looked> {
  const { runbook: called, database, input: given, run, from } = order;
  const runbook = Object.hasOwn(catalog, called) ? catalog[called] : undefined;
  const facing = Object.hasOwn(takeFacts, called) ? takeFacts[called] : undefined;
  if (!runbook || !facing) {
    throw new Failure('not-found', `there is no runbook "${called}"; there are: ${Object.keys(catalog).join(', ')}`);
  }
  const input = parseInput(runbook, given);
  if (provider) requireProvider(runbook, database, input, provider);
  const [journal, earlier] = await Promise.all([
    order.journal ?? (run === undefined || !control ? [] : control.attempts.journal(run)),
    control && !order.journal ? control.runs.stepPaces(runbook.name, database) : {},
  ]);
  const asked = { database, input, journal, ...(run === undefined ? {} : { run }) };
  const { facts, findings } = await gatherFindings(async (report) => await facing({ ...asked, report }));
  const make = (): Made => {
    const steps = planned(runbook, runbook.plan({ database, input, facts, commands }), earlier);
    const body = { runbook: runbook.name, version: runbook.version, database, input, steps };
    const digest = digestFrom(body, facts, from);
    const plan = { ...body, variables: runbook.variables, facts: digestOf(facts), digest, madeAt: new Date().toISOString() };
    return { plan: from === undefined ? plan : { ...plan, from }, facts };
  };
  return { findings, make };
}

/** The plan's lines in the order of the runbook's steps: every id, the ones that don't apply too. */
function planned(runbook: AnyRunbook, plans: StepPlans, earlier: Paces): PlannedStep[] {
  return Object.entries(runbook.steps).map(([id, definition]) => {
    const step = plans[id];
    if (!step) throw new Failure('internal', `the plan of ${runbook.name} leaves out the step ${id}`);
    return { id, ...definition, ...step, estimate: estimateOf(step, earlier[id]) };
  });
}

type Paces = Awaited<ReturnType<Control['runs']['stepPaces']>>;

/** What another database took says nothing of a step whose time goes with the size: then it is size by rate. */
function estimateOf(step: StepPlan, pace: Paces[string] | undefined): Estimate {
  const bytes = step.applies === false ? undefined : step.bytes;
  if (pace && (pace.own || bytes === undefined)) return { seconds: pace.seconds, from: 'earlier-runs' };
  if (pace?.bytesPerSecond && bytes !== undefined) return { seconds: bytes / pace.bytesPerSecond, from: 'size-and-rate' };
  return { from: 'unknown' };
}
