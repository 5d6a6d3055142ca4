import { ulid } from 'ulid';
import type { Control, DecisionRow, RunDetail } from '../control/contract.ts';
import { wholeRun, type Authorisation, type Choice } from '../domain/decision.ts';
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
  const judged = await deliver(parts, run, row);
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

/**
 * Sends a decision to its run, which has it for good then. What came too late is judged here, so that no row stays open for ever; so
 * is what certainly did not arrive, and `temporal-unavailable` thrown, unless the run has judged it already. Sending it twice is harmless.
 */
export async function deliver(
  { control, temporal }: Pick<ApiParts, 'control' | 'temporal'>,
  run: Pick<RunDetail, 'run' | 'state' | 'outcome'>,
  { id, approval, opening, digest, choice }: DecisionRow,
): Promise<Authorisation | null> {
  const sent = async (): Promise<Authorisation | null> => {
    if (run.state === 'closed') return await refused(control, id, closedText(run));
    return await temporal.decide(run.run, { approval, opening, digest, choice, decisionId: id });
  };
  try {
    const judged = await sent();
    await control.questions.delivered(id);
    return judged;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const told = typeof error.facts['because'] === 'string' ? error.facts['because'] : error.message;
    const judged = await refused(control, id, told);
    if (error.code === 'conflict') await control.questions.delivered(id);
    else if (!judged.counts) throw error;
    return judged;
  }
}

/** The first judgement stands: when the run was quicker, what it said is returned. */
async function refused({ questions }: Control, id: string, because: string): Promise<Authorisation> {
  await questions.judge(id, { counts: false, because });
  const row = await questions.decision(id);
  if (row?.counts === true) return { counts: true, settled: null, by: { person: row.person }, because: row.because ?? '' };
  return { counts: false, because: row?.because ?? because };
}

function closedText(run: Pick<RunDetail, 'outcome'>): string {
  return `the run has closed (${run.outcome ?? 'closed'})`;
}

function requireReason(answer: Answer): void {
  if (withoutReason.includes(answer.choice) || (answer.reason ?? '').trim() !== '') return;
  throw new Failure('input-invalid', `to ${answer.choice} needs a reason`, {
    problems: [{ path: 'body.reason', message: `is needed for ${answer.choice}` }],
  });
}
