import type { Control, RunChange, RunRecord } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import { ruleOf } from '../../domain/break-glass.ts';
import type { Facts, Plan, PlannedStep, PlanOutline } from '../../domain/plan.ts';
import type { Attempt } from '../attempt.ts';
import { changesBetween } from './changes.ts';
import type { Planned, PlanRequest } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { Planner } from './planner.ts';

/**
 * Makes the plan and stores plan and facts under their digests; from then on the run follows it. The first plan of a run also
 * shows it as planning and then as running. Harmless to repeat.
 */
export function plan({ control, planner, inventory, catalog }: EngineDependencies) {
  return async (request: PlanRequest, attempt: Attempt): Promise<Planned> => {
    const { agreed, ...order } = request;
    // It has started: what kept it from that is over.
    if (order.from === undefined) await control.runs.change(attempt.run, { state: 'planning', failure: null });
    const [row, made] = await Promise.all([control.runs.record(attempt.run), planner.plan({ ...order, run: attempt.run })]);
    // Facts may take long, and another attempt has been begun then: what this one has seen is not the newest any more.
    attempt.signal.throwIfAborted();
    const { digest, facts, steps } = made.plan;
    requireCover({ inventory, catalog }, order, row, steps);
    await Promise.all([control.documents.put('facts', facts, made.facts), control.documents.put('plan', digest, made.plan)]);
    const change: RunChange = order.from === undefined ? { state: 'running' } : {};
    await control.runs.planned(attempt.run, { digest, steps: steps.map(rowOf), change });
    const outline = outlineOf(made.plan);
    return agreed === undefined || agreed === digest ? outline : { ...outline, changes: await changesSince(control, agreed, made) };
  };
}

/** Every change is covered by an approval before it, or by a policy that asks nobody. Throws `plan-impossible` otherwise. */
export function requireCover(
  { inventory, catalog }: Pick<EngineDependencies, 'inventory' | 'catalog'>,
  { runbook, database }: Pick<PlanRequest, 'runbook' | 'database'>,
  row: RunRecord | null,
  steps: readonly PlannedStep[],
): void {
  // The request settled whether the run broke the glass.
  const brokeGlass = (row?.breakGlass ?? null) !== null;
  if (ruleOf(inventory(), database, catalog[runbook]?.risk ?? 'high', brokeGlass) === 'auto') return;
  const applying = steps.filter((step) => step.applies !== false);
  const first = applying.find((step) => step.kind === 'approval' || step.kind === 'change');
  if (first?.kind !== 'change') return;
  throw new Failure(
    'plan-impossible',
    `"${first.title}" would change something before anybody was asked, and the policy wants people to be asked`,
  );
}

async function changesSince(control: Control, agreed: string, now: Awaited<ReturnType<Planner['plan']>>): Promise<string[]> {
  // Both were stored by this activity when people were asked.
  const before = (await control.documents.get(agreed)) as Plan;
  const facts = (await control.documents.get(before.facts)) as Facts;
  return changesBetween({ plan: before, facts }, now);
}

function rowOf(step: PlannedStep): { id: string; kind: string; title: string; applies: boolean; because?: string } {
  const { id, kind, title } = step;
  return step.applies === false ? { id, kind, title, applies: false, because: step.because } : { id, kind, title, applies: true };
}

/** What the run needs of its plan. */
export function outlineOf({ digest, facts, steps }: Plan): PlanOutline {
  return { digest, facts, steps: steps.map(lineOf) };
}

function lineOf(step: PlannedStep): PlanOutline['steps'][number] {
  const { id, kind, title, skippable = false, pointOfNoReturn = false, onOwnThings } = step;
  const own = onOwnThings === true ? { onOwnThings } : {};
  return { id, kind, title, skippable, pointOfNoReturn, applies: step.applies !== false, ...own };
}
