import { wholeRun } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import type { ApiParts } from './parts.ts';

/**
 * Tells a run that somebody has reset what people had answered before: the reset may have taken the answer out of its history while
 * the record has the question as settled, so that nobody could give it again. What the run does not ask it does not take, and
 * the first judgement of a decision stands: to be told twice is harmless. A cancel is not told again.
 */
export async function tellAgain({ control, temporal }: Pick<ApiParts, 'control' | 'temporal'>, run: string): Promise<void> {
  for (const { id, approval, opening, digest, choice, counts } of (await control.runs.detail(run))?.decisions ?? []) {
    if (counts !== true || approval === wholeRun) continue;
    await temporal.decide(run, { approval, opening, digest, choice, decisionId: id }).catch(notAsked);
  }
}

function notAsked(error: unknown): void {
  if (!(error instanceof Failure && (error.code === 'conflict' || error.code === 'not-found'))) throw error;
}
