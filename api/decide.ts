import { ulid } from 'ulid';
import type { Rejection } from '../domain/answer.ts';
import type { Choice } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import { groupsOf } from '../domain/inventory.ts';
import type { Answer } from './answer.ts';
import { deliver } from './deliver.ts';
import { noSuchRun } from './no-such-run.ts';
import type { ApiParts } from './parts.ts';
import { rejectionOf } from './rejection.ts';

export interface Judged {
  readonly decision: string;
  /** null: recorded, not judged yet. */
  readonly counts: boolean | null;
  readonly settled: Choice | null;
  readonly because: string;
}

const withoutReason: readonly Choice[] = ['approve', 'withdraw', 'retry', 'start-again'];

/**
 * Records the answer with the person's current groups, sends it to the run, and returns the run's judgement. An answer that can't
 * count is recorded as rejected and never sent: throws `forbidden` or `conflict`. Throws `conflict` when the run itself refuses it,
 * `too-many-answers` when the person has given as many as one may, and `input-invalid` without a reason where one is needed. When
 * Temporal does not take it now, the answer stays undelivered and is sent again by itself. Each call is a decision of its own. `id`:
 * the run's name or ULID; throws `not-found`.
 */
export async function decide(parts: ApiParts, id: string, answer: Answer): Promise<Judged> {
  const run = await parts.control.questions.answerContext(id, answer.approval, answer.opening);
  if (!run) throw noSuchRun(id);
  requireReason(answer);
  const { reason, ...given } = answer;
  const rejection = rejectionOf(parts.inventory(), run, answer);
  const row = await parts.control.questions.decide({
    id: ulid(),
    run: run.run,
    ...given,
    groups: groupsOf(parts.inventory(), run.database, answer.person),
    ...(reason === undefined ? {} : { reason }),
    ...(rejection ? { rejected: rejection.because } : {}),
  });
  if (rejection) throw notCounted(rejection.code, row.id, rejection.because);
  const { verdict, arrived } = await deliver(parts, run, row);
  if (verdict === null) return { decision: row.id, counts: null, settled: null, because: arrived ? waits : undelivered };
  if (!verdict.counts) throw notCounted('conflict', row.id, verdict.because);
  return { decision: row.id, counts: true, settled: verdict.settled, because: verdict.because };
}

const waits = 'it is recorded and delivered; the run judges it when a worker is there';
const undelivered = 'it is recorded; Temporal does not take it now, so it is sent to the run again until it arrives: do not answer again';

function notCounted(code: Rejection['code'], decision: string, because: string): Failure {
  return new Failure(code, `the decision does not count: ${because}`, { decision, because });
}

function requireReason(answer: Answer): void {
  if (withoutReason.includes(answer.choice) || (answer.reason ?? '').trim() !== '') return;
  throw new Failure('input-invalid', `to ${answer.choice} needs a reason`, {
    problems: [{ path: 'body.reason', message: `is needed for ${answer.choice}` }],
  });
}
