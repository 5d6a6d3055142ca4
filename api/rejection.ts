import type { AnswerContext } from '../control/contract.ts';
import { whyRejected, type Rejection } from '../domain/answer.ts';
import { personOf, type Inventory } from '../domain/inventory.ts';
import type { Answer } from './answer.ts';

/**
 * Why the answer can't count, by the same rules as the run's own judgement; undefined when the run has to judge it. What is rejected
 * here costs the run nothing: neither an update nor history.
 */
export function rejectionOf(inventory: Inventory, run: AnswerContext, answer: Answer): Rejection | undefined {
  if (run.state === 'closed') return { code: 'conflict', because: closedText(run) };
  const { database, requester, forward, question } = run;
  return whyRejected({
    ...{ inventory, database, requester, forward, question },
    answer: { ...answer, at: new Date().toISOString() },
    unjudged: run.unjudged.some((account) => personOf(inventory, account) === personOf(inventory, answer.person)),
  });
}

/** What an answer to a run that has ended is rejected with. */
export function closedText(run: Pick<AnswerContext, 'outcome'>): string {
  return `the run has closed (${run.outcome ?? 'closed'})`;
}
