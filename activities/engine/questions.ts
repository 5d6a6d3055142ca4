import { neededText, settle, stillNeeded, quorumText, type Agreement, type QuorumLine } from '../../domain/approval.ts';
import { wholeRun, type Authorisation, type Choice, type DecidedBy, type DecisionMessage } from '../../domain/decision.ts';
import { groupsOf, policyOf } from '../../domain/inventory.ts';
import { runNameOf } from '../../domain/run.ts';
import type { DecisionRow, OpenQuestion } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import type { Asked, Asking, Closing } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';
import { refuseIfClosed } from './refuse-if-closed.ts';

/**
 * Opens the question and shows the run as waiting or parked. Repeating it finds the question open and changes nothing. After a
 * reset it may find one that was answered: then the answer stands, or the question is asked under the next number.
 */
export function ask({ control, inventory, catalog }: EngineDependencies) {
  return async (asking: Asking, attempt: Attempt): Promise<Asked> => {
    const { run } = attempt;
    await refuseIfClosed(control, run);
    const stands = await whatStands(control, run, asking);
    await closeOthers(control, run, { approval: asking.approval, opening: stands.opening });
    if (stands.answer !== null) return { ...stands, ...(await lastToSay(control, run, asking.approval, stands)) };
    const { approval, kind, digest, choices, failure } = asking;
    const { opening } = stands;
    const { runbook, database } = runNameOf(run);
    const rule = Object.hasOwn(inventory().databases, database)
      ? policyOf(inventory(), database).approvals[catalog[runbook]?.risk ?? 'high']
      : 'auto';
    const quorum = kind === 'parked' ? [] : rule === 'auto' ? (asking.quorum ?? []) : rule.quorum;
    const deadline = asking.deadlineMs === undefined ? undefined : new Date(Date.now() + asking.deadlineMs).toISOString();
    await control.runs.change(run, {
      state: kind === 'parked' ? 'parked' : 'waiting',
      steps: [
        {
          id: approval,
          state: kind === 'parked' ? 'failed' : 'waiting',
          generation: generationOf(asking, opening),
          ...(failure ? { failure } : {}),
        },
      ],
      ...(failure ? { failure } : {}),
    });
    // Last, so that whoever sees the question sees the run waiting for it.
    const told = { ...(deadline === undefined ? {} : { deadline }), ...(failure === undefined ? {} : { failure }) };
    await control.questions.open({ run, approval, opening, kind, digest, choices, quorum, ...told });
    return stands;
  };
}

/** An approval that is asked again shows as its next generation. */
function generationOf({ kind, generation }: Pick<Asking, 'kind' | 'generation'>, opening: number): number {
  return kind === 'approval' ? opening : generation;
}

/** The number that the question is to be asked under, and the answer to it when people gave it before a reset. */
async function whatStands(control: EngineDependencies['control'], run: string, asking: Asking): Promise<Asked> {
  for (let { opening } = asking; ; opening += 1) {
    const known = await control.questions.find(run, asking.approval, opening);
    if (!known) return { opening, answer: null };
    const same = known.kind === asking.kind && known.digest === asking.digest;
    if (same && known.answer === null) return { opening, answer: settledBy(known) };
    // What people agreed to is this very plan: they need not be asked again.
    if (same && known.answer === 'approve') return { opening, answer: 'approve' };
  }
}

/** A run asks one thing at a time: what else is open was asked before a reset. */
async function closeOthers(
  control: EngineDependencies['control'],
  run: string,
  asked: { approval: string; opening: number },
): Promise<void> {
  const open = (await control.runs.detail(run))?.questions ?? [];
  for (const { approval, opening } of open) {
    if (approval !== asked.approval || opening !== asked.opening) await control.questions.close(run, approval, opening, 'lapsed');
  }
}

/** Who gave the answer that stands. */
async function lastToSay(
  control: EngineDependencies['control'],
  run: string,
  approval: string,
  { opening, answer }: Asked,
): Promise<{ by?: DecidedBy }> {
  const decisions = (await control.runs.detail(run))?.decisions ?? [];
  const said = decisions.findLast((one) => one.approval === approval && one.opening === opening && one.choice === answer && one.counts);
  return said ? { by: byOf(said) } : {};
}

function byOf({ person, reason }: Pick<DecisionRow, 'person' | 'reason'>): DecidedBy {
  return reason === null ? { person } : { person, reason };
}

function settledBy({ kind, quorum, agreements }: OpenQuestion): Choice | null {
  return kind === 'parked' ? (agreements[0]?.choice ?? null) : settle(quorum, agreements);
}

export function closeQuestion({ control }: EngineDependencies) {
  return async (closing: Closing, attempt: Attempt): Promise<void> => {
    const { approval, opening, answer, by, state, step } = closing;
    await control.questions.close(attempt.run, approval, opening, answer);
    const generation = generationOf(closing, opening);
    const because = { because: by?.reason ?? `decided: ${answer}`, ...(by ? { by: by.person } : {}) };
    await control.runs.change(attempt.run, {
      state,
      failure: null,
      ...(step ? { steps: [{ id: approval, state: step, generation, ...because }] } : {}),
    });
  };
}

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
    const stands = await control.questions.decision(row.id);
    if (stands?.counts !== true) return { counts: false, because: stands?.because ?? refused ?? 'refused' };
    // Who has left a group since does not stand for it any more.
    const now = agreements.map((one) => ({ ...one, groups: one.groups.filter((group) => judged.groupsOf(one.person).includes(group)) }));
    return counted(judged, now);
  };
}

function counted(judged: Judged, agreements: readonly Agreement[]): Authorisation {
  const { row, question } = judged;
  const by = byOf(row);
  if (!question || question.kind === 'parked')
    return { counts: true, settled: row.choice, by, because: `${row.person} decided: ${row.choice}` };
  const settled = settle(question.quorum, agreements);
  return {
    counts: true,
    settled,
    by,
    because: settled === null ? `counted; still needed: ${missing(judged, question, agreements)}` : `decided: ${settled}`,
  };
}

/** What the quorum lacks, and who could fill it: neither the requester nor somebody who has answered. */
function missing({ people, groupsOf: groups, requester }: Judged, { quorum }: OpenQuestion, agreements: readonly Agreement[]): string {
  const free = people.filter((name) => name !== requester && !agreements.some((one) => one.person === name));
  return neededText(stillNeeded(quorum, agreements), (line: QuorumLine) => free.filter((name) => groups(name).includes(line.group)));
}

interface Judged {
  readonly row: DecisionRow;
  readonly question: (OpenQuestion & { answer: string | null }) | null;
  /** The groups of a person as the inventory has them now; none of one who is not there any more. */
  groupsOf(person: string): readonly string[];
  /** Everybody, by name. */
  readonly people: readonly string[];
  readonly operators: readonly string[];
  readonly requester: string;
  readonly forward: boolean;
}

async function lookUp({ control, inventory }: Pick<EngineDependencies, 'control' | 'inventory'>, row: DecisionRow): Promise<Judged> {
  const { database } = runNameOf(row.run);
  const now = inventory();
  const whole = row.approval === wholeRun;
  return {
    row,
    question: whole ? null : await control.questions.find(row.run, row.approval, row.opening),
    groupsOf: (person) => groupsOf(now, database, person),
    people: now.people.map((one) => one.name),
    operators: policyOf(now, database).operators,
    requester: (await control.runs.find(row.run))?.requester ?? '',
    forward: whole && (await control.noReturn.read(row.run))?.side === 'forward',
  };
}

function whyNot(judged: Judged): string | undefined {
  const { row, question, people, operators, requester } = judged;
  if (!people.includes(row.person)) return `${row.person} is not in the inventory any more`;
  const operates = operators.some((group) => judged.groupsOf(row.person).includes(group));
  if (row.approval === wholeRun) {
    if (judged.forward) return 'the run is past its point of no return: it goes forward, a cancel changes nothing';
    return operates || row.person === requester ? undefined : `only the requester and ${operators.join(', ')} may cancel`;
  }
  if (!question || question.answer !== null) return `"${row.approval}" is not being asked any more`;
  if (question.deadline !== undefined && Date.parse(row.at) > Date.parse(question.deadline))
    return `the deadline of "${row.approval}" had passed`;
  if (question.digest !== row.digest) return 'it was decided about another plan';
  if (!question.choices.includes(row.choice)) return `"${row.choice}" is not one of the choices`;
  if (question.kind === 'parked') return operates ? undefined : `only ${operators.join(', ')} may answer for a failed step`;
  return whyNoApproval(judged, question);
}

function whyNoApproval({ row, requester, groupsOf: groups }: Judged, question: OpenQuestion): string | undefined {
  if (row.person === requester && row.choice === 'approve') return `${row.person} asked for the run and can't approve it`;
  if (!question.quorum.some((line) => groups(row.person).includes(line.group))) {
    return `${row.person} is in none of the groups that decide: ${quorumText(question.quorum)}`;
  }
  const before = question.agreements.find((one) => one.person === row.person);
  return before ? `${row.person} has answered already: ${before.choice}` : undefined;
}
