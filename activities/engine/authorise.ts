import { currentAgreements, requesterOf, whyRejected, type AnswerCase } from '../../domain/answer.ts';
import { mayFill, neededText, settle, stillNeeded, type Agreement } from '../../domain/approval.ts';
import { wholeRun, type Authorisation } from '../../domain/decision.ts';
import { groupsOf } from '../../domain/inventory.ts';
import { runNameOf } from '../../domain/run.ts';
import type { ClosableQuestion, DecisionRow, OpenQuestion, RunRecord } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import { confirmAtOnce } from './confirm.ts';
import type { Judged, Judging, Planned } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';
import { byOf } from './questions.ts';

/**
 * Whether a decision counts. Judged by the row that the API wrote (never by the message), the person's groups as the inventory has
 * them now, and the policy; what is refused is recorded with its reason. The first judgement of a decision stands. A message that
 * is not the row's own says nothing about the decision, which stays open.
 */
export function authorise(dependencies: EngineDependencies) {
  const { control, inventory } = dependencies;
  return async (message: Judging, attempt: Attempt): Promise<Judged> => {
    const [found, run] = await Promise.all([control.questions.withQuestion(message.decisionId), control.runs.record(attempt.run)]);
    if (!found) return { counts: false, because: 'the API has recorded no such decision' };
    const { decision: row } = found;
    if (row.run !== attempt.run || row.approval !== message.approval || row.opening !== message.opening || row.choice !== message.choice) {
      return { counts: false, because: 'the message is not the decision that was recorded' };
    }
    const judged = await lookUp({ control, inventory }, found, run);
    const refused = message.refuse ?? whyRejected(judged.given)?.because;
    const stands = await control.questions.judge(row.id, { counts: refused === undefined, because: refused ?? 'counts' });
    if (!stands.counts) return { counts: false, because: stands.because };
    const verdict = counted(judged, currentAgreements(judged.given, stands));
    if (await isGiven(control, judged)) return { ...verdict, given: true };
    const confirmed = await confirmation(dependencies, message, verdict, run, attempt);
    return confirmed ? { ...verdict, confirmed } : verdict;
  };
}

/** When the decision gives the approval. */
async function confirmation(
  dependencies: EngineDependencies,
  { approval, opening, confirm }: Judging,
  { settled, by }: Authorisation & { counts: true },
  row: RunRecord | null,
  attempt: Attempt,
): Promise<Planned | undefined> {
  if (!confirm || settled !== 'approve') return undefined;
  const closing = {
    approval,
    opening,
    kind: 'approval',
    generation: opening,
    answer: settled,
    by,
    state: 'running',
    step: 'done',
  } as const;
  return await confirmAtOnce(dependencies, { ...confirm, row, closing }, attempt);
}

/** The record has the approval as done: not only answered, its plan was confirmed by the facts of after. */
async function isGiven(control: EngineDependencies['control'], { row, question }: Case): Promise<boolean> {
  if (question?.kind !== 'approval' || question.answer !== 'approve') return false;
  const steps = (await control.runs.detail(row.run))?.steps ?? [];
  return steps.some((step) => step.id === row.approval && step.state === 'done');
}

function counted(judged: Case, agreements: readonly Agreement[]): Authorisation & { counts: true } {
  const { row, question } = judged;
  const by = byOf(row);
  if (!question || question.kind === 'parked')
    return { counts: true, settled: row.choice, by, because: `${row.person} decided: ${row.choice}` };
  const settled = settle(question.quorum, agreements);
  const counted = row.choice === 'withdraw' ? 'taken back' : 'counted';
  return {
    counts: true,
    settled,
    by,
    because: settled === null ? `${counted}; still needed: ${missing(judged, question, agreements)}` : `decided: ${settled}`,
  };
}

/** What the quorum lacks, and who could fill it: neither the requester nor somebody who has answered. */
function missing({ given }: Case, { quorum }: OpenQuestion, agreements: readonly Agreement[]): string {
  const { inventory, database } = given;
  const requester = requesterOf(given);
  const names = inventory.people.map((one) => one.name);
  const free = names.filter((name) => name !== requester && !agreements.some((one) => one.person === name));
  return neededText(stillNeeded(quorum, agreements), (line) => free.filter((name) => mayFill(line, groupsOf(inventory, database, name))));
}

interface Case {
  readonly row: DecisionRow;
  readonly question: ClosableQuestion | null;
  readonly given: AnswerCase;
}

async function lookUp(
  { control, inventory }: Pick<EngineDependencies, 'control' | 'inventory'>,
  { decision: row, question }: { decision: DecisionRow; question: ClosableQuestion | null },
  run: RunRecord | null,
): Promise<Case> {
  const forward = row.approval === wholeRun && (await control.noReturn.read(row.run))?.side === 'forward';
  const about = { inventory: inventory(), database: runNameOf(row.run).database, requester: run?.requester ?? '' };
  return { row, question, given: { ...about, answer: row, question, forward } };
}
