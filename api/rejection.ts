import type { RunDetail } from '../control/contract.ts';
import { whyRejected, type AnsweredQuestion, type Rejection } from '../domain/answer.ts';
import { wholeRun } from '../domain/decision.ts';
import { personOf } from '../domain/inventory.ts';
import type { Answer } from './answer.ts';
import type { ApiParts } from './parts.ts';

/**
 * Why the answer can't count, by the same rules as the run's own judgement; undefined when the run has to judge it. What is rejected
 * here costs the run nothing: neither an update nor history.
 */
export async function rejectionOf(
  { control, inventory }: Pick<ApiParts, 'control' | 'inventory'>,
  run: RunDetail,
  answer: Answer,
): Promise<Rejection | undefined> {
  if (run.state === 'closed') return { code: 'conflict', because: closedText(run) };
  const whole = answer.approval === wholeRun;
  const [question, noReturn] = await Promise.all([
    whole ? null : questionOf(control, run, answer),
    whole ? control.noReturn.read(run.run) : null,
  ]);
  return whyRejected({
    inventory: inventory(),
    database: run.database,
    requester: run.requester,
    forward: noReturn?.side === 'forward',
    answer: { ...answer, at: new Date().toISOString() },
    question,
    unjudged: isWaiting(run, answer, (account) => personOf(inventory(), account)),
  });
}

/** An open question came with the run. */
async function questionOf(
  { questions }: Pick<ApiParts['control'], 'questions'>,
  run: RunDetail,
  { approval, opening }: Answer,
): Promise<AnsweredQuestion | null> {
  const open = run.questions.find((one) => one.approval === approval && one.opening === opening);
  return open ? { ...open, answer: null } : await questions.find(run.run, approval, opening);
}

/** What an answer to a run that has ended is rejected with. */
export function closedText(run: Pick<RunDetail, 'outcome'>): string {
  return `the run has closed (${run.outcome ?? 'closed'})`;
}

function isWaiting(
  { decisions }: RunDetail,
  { approval, opening, person }: Answer,
  personOfAccount: (account: string) => unknown,
): boolean {
  return decisions.some(
    (one) =>
      one.counts === null &&
      one.approval === approval &&
      one.opening === opening &&
      personOfAccount(one.person) === personOfAccount(person),
  );
}
