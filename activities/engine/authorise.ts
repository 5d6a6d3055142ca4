import { mayFill, neededText, quorumText, settle, stillNeeded, type Agreement } from '../../domain/approval.ts';
import { wholeRun, type Authorisation, type DecisionMessage } from '../../domain/decision.ts';
import { groupsOf, personOf, policyOf } from '../../domain/inventory.ts';
import { runNameOf } from '../../domain/run.ts';
import type { DecisionRow, OpenQuestion } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import type { EngineDependencies } from './dependencies.ts';
import { byOf, ofNow } from './questions.ts';

/**
 * Whether a decision counts. Judged by the row that the API wrote (never by the message), the person's groups as the inventory has
 * them now, and the policy; what is refused is recorded with its reason. The first judgement of a decision stands. A message that
 * is not the row's own says nothing about the decision, which stays open.
 */
export function authorise({ control, inventory }: EngineDependencies) {
  return async (message: DecisionMessage & { refuse?: string }, attempt: Attempt): Promise<Authorisation> => {
    const row = await control.questions.decision(message.decisionId);
    if (!row) return { counts: false, because: 'the API has recorded no such decision' };
    if (row.run !== attempt.run || row.approval !== message.approval || row.opening !== message.opening || row.choice !== message.choice) {
      return { counts: false, because: 'the message is not the decision that was recorded' };
    }
    const judged = await lookUp({ control, inventory }, row);
    const refused = message.refuse ?? whyNot(judged);
    const agreements = await control.questions.judge(row.id, { counts: refused === undefined, because: refused ?? 'counts' });
    const [stands, given] = await Promise.all([control.questions.decision(row.id), isGiven(control, judged)]);
    if (stands?.counts !== true) return { counts: false, because: stands?.because ?? refused ?? 'refused' };
    const verdict = counted(judged, ofNow(agreements, inventory(), runNameOf(row.run).database));
    return given ? { ...verdict, given: true } : verdict;
  };
}

/** The record has the approval as done: not only answered, its plan was confirmed by the facts of after. */
async function isGiven(control: EngineDependencies['control'], { row, question }: Judged): Promise<boolean> {
  if (question?.kind !== 'approval' || question.answer !== 'approve') return false;
  const steps = (await control.runs.detail(row.run))?.steps ?? [];
  return steps.some((step) => step.id === row.approval && step.state === 'done');
}

function counted(judged: Judged, agreements: readonly Agreement[]): Authorisation & { counts: true } {
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
function missing({ people, groupsOf: groups, requester }: Judged, { quorum }: OpenQuestion, agreements: readonly Agreement[]): string {
  const free = people.filter((name) => name !== requester && !agreements.some((one) => one.person === name));
  return neededText(stillNeeded(quorum, agreements), (line) => free.filter((name) => mayFill(line, groups(name))));
}

interface Judged {
  readonly row: DecisionRow;
  /** Whose account answered; undefined when it is nobody's any more. */
  readonly person: string | undefined;
  readonly question: (OpenQuestion & { answer: string | null }) | null;
  /** The groups of a person as the inventory has them now; none of one who is not there any more. */
  groupsOf(person: string): readonly string[];
  /** Everybody, by name. */
  readonly people: readonly string[];
  readonly operators: readonly string[];
  readonly servicesAnswer: boolean;
  readonly requester: string;
  readonly forward: boolean;
}

async function lookUp({ control, inventory }: Pick<EngineDependencies, 'control' | 'inventory'>, row: DecisionRow): Promise<Judged> {
  const { database } = runNameOf(row.run);
  const now = inventory();
  const { operators, servicesAnswer } = policyOf(now, database);
  const whole = row.approval === wholeRun;
  const [question, run, noReturn] = await Promise.all([
    whole ? null : control.questions.find(row.run, row.approval, row.opening),
    control.runs.find(row.run),
    whole ? control.noReturn.read(row.run) : null,
  ]);
  const requester = run?.requester ?? '';
  return {
    row,
    person: personOf(now, row.person),
    question: question && { ...question, agreements: ofNow(question.agreements, now, database) },
    groupsOf: (person) => groupsOf(now, database, person),
    people: now.people.map((one) => one.name),
    operators,
    servicesAnswer,
    requester: personOf(now, requester) ?? requester,
    forward: noReturn?.side === 'forward',
  };
}

function whyNot(judged: Judged): string | undefined {
  const { row, person, question, operators, requester } = judged;
  if (person === undefined) return `${row.person} is not in the inventory any more`;
  const operates = operators.some((group) => judged.groupsOf(person).includes(group));
  if (row.approval === wholeRun) {
    if (judged.forward) return 'the run is past its point of no return: it goes forward, a cancel changes nothing';
    return operates || person === requester ? undefined : `only the requester and ${operators.join(', ')} may cancel`;
  }
  if (row.kind === 'service' && !judged.servicesAnswer)
    return `${row.person} answered with a service’s token, and the policy lets only people decide`;
  if (!question || question.answer !== null) return `"${row.approval}" is not being asked any more`;
  if (question.deadline !== undefined && Date.parse(row.at) > Date.parse(question.deadline))
    return `the deadline of "${row.approval}" had passed`;
  if (question.digest !== row.digest) return 'it was decided about another plan';
  if (!question.choices.includes(row.choice)) return `"${row.choice}" is not one of the choices`;
  if (question.kind === 'parked') return operates ? undefined : `only ${operators.join(', ')} may answer for a failed step`;
  return whyNoApproval(judged, person, question);
}

function whyNoApproval({ row, requester, groupsOf: groups }: Judged, person: string, question: OpenQuestion): string | undefined {
  const before = question.agreements.find((one) => one.person === person);
  if (row.choice === 'withdraw') return before ? undefined : `${person} has given no answer that could be taken back`;
  if (person === requester && row.choice === 'approve') return `${person} asked for the run and can't approve it`;
  if (!question.quorum.some((line) => mayFill(line, groups(person)))) {
    return `${person} is in none of the groups that decide: ${quorumText(question.quorum)}`;
  }
  return before ? `${person} has answered already: ${before.choice}` : undefined;
}
