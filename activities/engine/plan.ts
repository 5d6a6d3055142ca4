import type { PlannedStep, PlanOutline } from '../../domain/plan.ts';
import type { Attempt } from '../attempt.ts';
import type { PlanRequest } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';

/** Makes the plan and stores plan and facts under their digests; from then on the run follows it. Harmless to repeat. */
export function plan({ control, planner }: EngineDependencies) {
  return async (request: PlanRequest, attempt: Attempt): Promise<PlanOutline> => {
    const made = await planner.plan({ ...request, run: attempt.run });
    const { digest, facts, steps } = made.plan;
    await control.documents.put('facts', facts, made.facts);
    await control.documents.put('plan', digest, made.plan);
    await control.runs.planned(attempt.run, { digest, steps: steps.map(rowOf) });
    return { digest, facts, steps: steps.map(outlineOf) };
  };
}

function rowOf(step: PlannedStep): { id: string; kind: string; title: string; applies: boolean; because?: string } {
  const { id, kind, title } = step;
  return step.applies === false ? { id, kind, title, applies: false, because: step.because } : { id, kind, title, applies: true };
}

function outlineOf(step: PlannedStep): PlanOutline['steps'][number] {
  const { id, kind, title, skippable = false, pointOfNoReturn = false } = step;
  return { id, kind, title, skippable, pointOfNoReturn, applies: step.applies !== false };
}
