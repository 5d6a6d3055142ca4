import type { AnswerContext, DecisionRow } from '../control/contract.ts';
import type { Authorisation, DecisionMessage } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import { afterwards } from './afterwards.ts';
import type { ApiParts } from './parts.ts';
import { closedText } from './rejection.ts';

type Parts = Pick<ApiParts, 'control' | 'temporal'>;
type RunEnd = Pick<AnswerContext, 'run' | 'state' | 'outcome'>;

export interface Delivery {
  /** null: nobody has judged it yet. */
  readonly verdict: Authorisation | null;
  /** The run has it for good, or never takes it; otherwise it is to be sent again. */
  readonly arrived: boolean;
}

/** Sends a decision to its run and waits for the judgement for some seconds. */
export async function deliver(parts: Parts, run: RunEnd, decision: DecisionRow): Promise<Delivery> {
  const delivery = await sent(parts, run, decision, async (message) => await parts.temporal.decide(run.run, message));
  // Where this is lost, the sweeper sends the decision once more, which changes nothing, and writes it.
  if (delivery.arrived) afterwards(() => parts.control.questions.delivered(decision.id));
  return delivery;
}

/** Sends it again; the run judges it when it gets to it. Sending it twice is harmless. */
export async function deliverAgain(parts: Parts, run: RunEnd, decision: DecisionRow): Promise<Delivery> {
  const delivery = await sent(parts, run, decision, async (message) => {
    await parts.temporal.decideLater(run.run, message);
    return null;
  });
  if (delivery.arrived) await parts.control.questions.delivered(decision.id);
  return delivery;
}

/**
 * Only a judgement is recorded as one: the run's own, or that the run's row is closed. After any other failure the decision stays
 * undelivered, whatever the failure was: the run may even have judged it, and then that is the answer.
 */
async function sent(
  parts: Parts,
  run: RunEnd,
  row: DecisionRow,
  send: (message: DecisionMessage) => Promise<Authorisation | null>,
): Promise<Delivery> {
  const { id, approval, opening, digest, choice } = row;
  if (run.state === 'closed') return await refused(parts, id, closedText(run));
  let verdict: Authorisation | null;
  try {
    verdict = await send({ approval, opening, digest, choice, decisionId: id });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return await notTaken(parts, run.run, id, error);
  }
  return { verdict, arrived: true };
}

async function notTaken(parts: Parts, run: string, id: string, { code, facts, message }: Failure): Promise<Delivery> {
  if (code === 'conflict') return await refused(parts, id, typeof facts['because'] === 'string' ? facts['because'] : message);
  // Temporal may have lost sight of the workflow for a moment: only the run's row says that it has ended.
  const known = code === 'not-found' ? await parts.control.runs.record(run) : null;
  if (known?.state === 'closed') return await refused(parts, id, closedText(known));
  return { verdict: judgementIn(await parts.control.questions.decision(id)), arrived: false };
}

/** The first judgement stands: when the run was quicker, what it said is returned. */
async function refused({ control: { questions } }: Parts, id: string, because: string): Promise<Delivery> {
  await questions.judge(id, { counts: false, because });
  return { verdict: judgementIn(await questions.decision(id)) ?? { counts: false, because }, arrived: true };
}

function judgementIn(row: DecisionRow | null): Authorisation | null {
  if (!row || row.counts === null) return null;
  const because = row.because ?? '';
  return row.counts ? { counts: true, settled: null, by: { person: row.person }, because } : { counts: false, because };
}
