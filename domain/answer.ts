import { mayFill, quorumText, type Agreement, type QuorumLine } from './approval.ts';
import { wholeRun, type Choice, type Question } from './decision.ts';
import { groupsOf, personOf, policyOf, type Inventory } from './inventory.ts';
import type { TokenKind } from './token.ts';

/** A person's answer, as it is recorded. */
export interface GivenAnswer {
  readonly approval: string;
  readonly digest: string;
  readonly choice: Choice;
  /** The account that answered. */
  readonly person: string;
  readonly kind: TokenKind;
  /** ISO time. */
  readonly at: string;
}

/** The question that an answer names, as it is recorded. */
export interface AnsweredQuestion extends Pick<Question, 'digest' | 'kind' | 'choices' | 'deadline'> {
  readonly quorum: readonly QuorumLine[];
  readonly agreements: readonly Agreement[];
  readonly answer: string | null;
}

/** Everything that decides whether an answer can count. */
export interface AnswerCase {
  readonly inventory: Inventory;
  readonly database: string;
  readonly requester: string;
  /** The run is past its point of no return. */
  readonly forward: boolean;
  readonly answer: GivenAnswer;
  /** null when nobody asked it, and for a cancel. */
  readonly question: AnsweredQuestion | null;
  /** An earlier answer of the same person is not judged yet: it may be the one that a withdrawal takes back, or be a withdrawal. */
  readonly unjudged?: boolean;
}

/** Why an answer can't count: `forbidden` is about the person, `conflict` about the state of the run. */
export interface Rejection {
  readonly code: 'forbidden' | 'conflict';
  readonly because: string;
}

/**
 * Why the answer can't count; undefined when it can. The API asks before it sends an answer to the run, and the activity `authorise`
 * asks when the run judges it, which is authoritative.
 */
export function whyRejected(given: AnswerCase): Rejection | undefined {
  const { inventory, database, answer, question } = given;
  const person = personOf(inventory, answer.person);
  if (person === undefined) return forbidden(`${answer.person} is not in the inventory any more`);
  const { operators, servicesAnswer } = policyOf(inventory, database);
  const groups = groupsOf(inventory, database, person);
  const operates = operators.some((group) => groups.includes(group));
  if (answer.approval === wholeRun) return whyNoCancel(given, operates || person === requesterOf(given), operators);
  if (answer.kind === 'service' && !servicesAnswer)
    return forbidden(`${answer.person} answered with a service’s token, and the policy lets only people decide`);
  if (!question || question.answer !== null) return conflict(`"${answer.approval}" is not being asked any more`);
  if (question.deadline !== undefined && Date.parse(answer.at) > Date.parse(question.deadline))
    return conflict(`the deadline of "${answer.approval}" had passed`);
  if (question.digest !== answer.digest) return conflict('it was decided about another plan');
  if (!question.choices.includes(answer.choice)) return conflict(`"${answer.choice}" is not one of the choices`);
  if (question.kind === 'parked') return operates ? undefined : forbidden(`only ${operators.join(', ')} may answer for a failed step`);
  return whyNoApproval(given, person, question, groups);
}

function whyNoCancel({ forward, answer }: AnswerCase, may: boolean, operators: readonly string[]): Rejection | undefined {
  if (answer.choice !== 'cancel') return conflict(`a run can only be cancelled, not answered with "${answer.choice}"`);
  if (!may) return forbidden(`only the requester and ${operators.join(', ')} may cancel`);
  return forward ? conflict('the run is past its point of no return: it goes forward, a cancel changes nothing') : undefined;
}

function whyNoApproval(given: AnswerCase, person: string, question: AnsweredQuestion, groups: readonly string[]): Rejection | undefined {
  const { answer, unjudged = false } = given;
  const before = currentAgreements(given, question).find((one) => one.person === person);
  if (answer.choice === 'withdraw')
    return before || unjudged ? undefined : conflict(`${person} has given no answer that could be taken back`);
  if (person === requesterOf(given) && answer.choice === 'approve') return forbidden(`${person} asked for the run and can't approve it`);
  if (!question.quorum.some((line) => mayFill(line, groups)))
    return forbidden(`${person} is in none of the groups that decide: ${quorumText(question.quorum)}`);
  return before && !unjudged ? conflict(`${person} has answered already: ${before.choice}`) : undefined;
}

/** By the current inventory: a person who left a group no longer stands for it, and all accounts of a person are one person. */
export function currentAgreements(
  { inventory, database }: Pick<AnswerCase, 'inventory' | 'database'>,
  { agreements }: Pick<AnsweredQuestion, 'agreements'>,
): Agreement[] {
  return agreements.map((one) => {
    const groups = groupsOf(inventory, database, one.person);
    return { ...one, person: personOf(inventory, one.person) ?? one.person, groups: one.groups.filter((group) => groups.includes(group)) };
  });
}

/** The person who asked for the run, by any account. */
export function requesterOf({ inventory, requester }: Pick<AnswerCase, 'inventory' | 'requester'>): string {
  return personOf(inventory, requester) ?? requester;
}

const forbidden = (because: string): Rejection => ({ code: 'forbidden', because });
const conflict = (because: string): Rejection => ({ code: 'conflict', because });
