import type { FastifyBaseLogger } from 'fastify';
import { wholeRun } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import type { ApiParts } from './parts.ts';

/**
 * Tells a run that somebody has reset what people had answered before: the reset may have taken the answer out of its history while
 * the record has the question as settled, so that nobody could give it again. What the run does not ask it does not take, and
 * the first judgement of a decision stands: to be told twice is harmless. A cancel is not told again.
 */
export function createTeller({ control, temporal }: Pick<ApiParts, 'control' | 'temporal'>, log: FastifyBaseLogger): () => Promise<void> {
  const told = new Set<string>();
  return async () => {
    for (const { run } of await control.runs.open()) {
      const execution = await temporal.resetTo(run);
      if (execution === null || told.has(execution)) continue;
      for (const { id, approval, opening, digest, choice, counts } of (await control.runs.detail(run))?.decisions ?? []) {
        if (counts !== true || approval === wholeRun) continue;
        await temporal.decide(run, { approval, opening, digest, choice, decisionId: id }).catch(notAsked);
      }
      told.add(execution);
      log.info({ run, execution }, 'told a run that was reset what people had answered');
    }
  };
}

function notAsked(error: unknown): void {
  if (!(error instanceof Failure && error.code === 'conflict')) throw error;
}
