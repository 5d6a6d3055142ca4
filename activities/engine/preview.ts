import type { Control } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import { byLevel, type Finding } from '../../domain/finding.ts';
import type { Facts, Plan } from '../../domain/plan.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import { findingOf } from './gather-findings.ts';
import type { Planner } from './planner.ts';
import { standingFindings } from './standing-findings.ts';

/** A plan that nobody has asked to be executed, with what would stop it now. */
export interface Preview {
  readonly plan: Plan;
  /** What blocks comes first. */
  readonly findings: readonly Finding[];
}

export interface PreviewOrder {
  readonly runbook: string;
  readonly database: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface PreviewDependencies {
  readonly planner: Planner;
  readonly catalog: Readonly<Record<string, AnyRunbook>>;
  /** The checks of a runbook's first step. A runbook that is not here has none: the facts find all that stands against it. */
  readonly checks: Readonly<Record<string, (plan: Plan, facts: Facts) => Promise<Finding[]>>>;
  /** Absent with `plan --offline`. */
  readonly control?: Pick<Control, 'runs' | 'attempts' | 'lease' | 'freezes'>;
}

/** Makes the plan and runs the checks, read-only; stores nothing. Raises what `Planner.preview` does. */
export function createPreview({ planner, catalog, checks, control }: PreviewDependencies): (order: PreviewOrder) => Promise<Preview> {
  return async (order) => {
    const { plan, facts, findings } = await planner.preview(order);
    const others: Readonly<Record<string, string>> = catalog[plan.runbook]?.others?.(plan.input) ?? {};
    const [standing, checked] = await Promise.all([
      control ? standingFindings(control, [plan.database, ...Object.values(others)]) : unseen,
      Promise.resolve(checks[plan.runbook]?.(plan, facts) ?? []).catch(asFinding),
    ]);
    return { plan, findings: byLevel([...standing, ...findings, ...checked].map(withoutCode)) };
  };
}

const unseen: readonly Finding[] = [
  {
    check: 'control-database',
    level: 'informs',
    evidence: 'not asked (--offline): freezes, leases, other open runs, and whether it is on a server of this plan',
    fix: '',
  },
];

/** The run's own check would end with it. */
function asFinding(error: unknown): Finding[] {
  if (!(error instanceof Failure)) throw error;
  return [findingOf(error.code, error)];
}

/** Code and cause are the refusal's. */
function withoutCode({ check, level, evidence, fix }: Finding): Finding {
  return { check, level, evidence, fix };
}
