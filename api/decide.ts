import { ulid } from 'ulid';
import type { RunDetail } from '../control/contract.ts';
import { wholeRun, type Authorisation, type Choice, type DecisionMessage } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import { groupsOf } from '../domain/inventory.ts';
import type { TokenKind } from '../domain/token.ts';
import type { ApiParts } from './parts.ts';

/** A person's answer to an open question, or a cancel, by whatever channel. */
export interface Answer {
  readonly approval: string;
  readonly opening: number;
  readonly digest: string;
  readonly choice: Choice;
  readonly reason?: string | undefined;
  readonly person: string;
  readonly kind: TokenKind;
  readonly channel: string;
}

export interface Judged {
  readonly decision: string;
  /** null: recorded and delivered, not judged yet. */
  readonly counts: boolean | null;
  readonly settled: Choice | null;
  readonly because: string;
}

const withoutReason: readonly Choice[] = ['approve', 'withdraw', 'retry', 'start-again'];

/**
 * Writes the decision down with the person's groups as they are now, tells the run, and returns its judgement. Throws
 * `input-invalid` without a reason where one is needed, `temporal-unavailable` before anything is written, and `conflict` when
 * the run refuses it or has closed; the refusal is recorded too. Each call is a decision of its own.
 */
export async function decide(parts: ApiParts, run: RunDetail, answer: Answer): Promise<Judged> {
  requireReason(answer);
  const groups = groupsOf(parts.inventory(), run.database, answer.person);
  await parts.temporal.health();
  const { approval, opening, digest, choice, person, kind, channel, reason } = answer;
  const row = await parts.control.questions.decide({
    id: ulid(),
    run: run.run,
    approval,
    opening,
    digest,
    choice,
    person,
    kind,
    groups,
    channel,
    ...(reason === undefined ? {} : { reason }),
  });
  const message = { approval, opening, digest, choice, decisionId: row.id };
  const judged = run.state === 'closed' ? await refused(parts, row.id, closedText(run)) : await deliver(parts, run.run, message);
  if (judged === null) {
    return {
      decision: row.id,
      counts: null,
      settled: null,
      because: 'it is recorded and delivered; the run judges it when a worker is there',
    };
  }
  if (!judged.counts)
    throw new Failure('conflict', `the decision does not count: ${judged.because}`, { decision: row.id, because: judged.because });
  return { decision: row.id, counts: true, settled: judged.settled, because: judged.because };
}

/** A cancel is a decision about the whole run, which is always open. */
export function cancelAnswer(by: Pick<Answer, 'person' | 'kind' | 'channel'> & { reason: string }): Answer {
  return { approval: wholeRun, opening: 0, digest: '', choice: 'cancel', ...by };
}

/** Sends it. What certainly did not arrive, or came too late, is judged here, so that no row stays open for ever. */
async function deliver(parts: ApiParts, run: string, message: DecisionMessage): Promise<Authorisation | null> {
  try {
    return await parts.temporal.decide(run, message);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const told = typeof error.facts['because'] === 'string' ? error.facts['because'] : error.message;
    const judged = await refused(parts, message.decisionId, told);
    if (error.code === 'conflict' || judged.counts) return judged;
    throw error;
  }
}

/** The first judgement stands: when the run was quicker, what it said is returned. */
async function refused(parts: ApiParts, id: string, because: string): Promise<Authorisation> {
  await parts.control.questions.judge(id, { counts: false, because });
  const row = await parts.control.questions.decision(id);
  if (row?.counts === true) return { counts: true, settled: null, by: { person: row.person }, because: row.because ?? '' };
  return { counts: false, because: row?.because ?? because };
}

function closedText(run: RunDetail): string {
  return `the run has closed (${run.outcome ?? 'closed'})`;
}

function requireReason(answer: Answer): void {
  if (withoutReason.includes(answer.choice) || (answer.reason ?? '').trim() !== '') return;
  throw new Failure('input-invalid', `to ${answer.choice} needs a reason`, {
    problems: [{ path: 'body.reason', message: `is needed for ${answer.choice}` }],
  });
}
