import { settle, quorumText, type Agreement } from '../../domain/approval.ts';
import { wholeRun, type Authorisation, type DecisionMessage } from '../../domain/decision.ts';
import { groupsOf, policyOf } from '../../domain/inventory.ts';
import { runNameOf } from '../../domain/run.ts';
import type { DecisionRow, OpenQuestion } from '../../control/contract.ts';
import type { Attempt } from '../attempt.ts';
import type { Asking, Closing } from './contract.ts';
import type { EngineDependencies } from './dependencies.ts';

/** Opens the question and shows the run as waiting or parked. Repeating it finds the question open and changes nothing. */
export function ask({ control, inventory, catalog }: EngineDependencies) {
  return async (asking: Asking, attempt: Attempt): Promise<void> => {
    const { approval, kind, opening, generation, digest, choices, failure } = asking;
    const { runbook, database } = runNameOf(attempt.run);
    const policy = policyOf(inventory(), database);
    const rule = policy.approvals[catalog[runbook]?.risk ?? 'high'];
    const quorum = kind === 'approval' && rule !== 'auto' ? rule.quorum : [];
    const deadline = asking.deadlineMs === undefined ? undefined : new Date(Date.now() + asking.deadlineMs).toISOString();
    await control.runs.change(attempt.run, {
      state: kind === 'parked' ? 'parked' : 'waiting',
      steps: [{ id: approval, state: kind === 'parked' ? 'failed' : 'waiting', generation, ...(failure ? { failure } : {}) }],
      ...(failure ? { failure } : {}),
    });
    // Last, so that whoever sees the question sees the run waiting for it.
    await control.questions.open({
      run: attempt.run,
      approval,
      opening,
      kind,
      digest,
      choices,
      quorum,
      ...(deadline === undefined ? {} : { deadline }),
      ...(failure === undefined ? {} : { failure }),
    });
  };
}

export function closeQuestion({ control }: EngineDependencies) {
  return async ({ approval, opening, answer, state, step, generation }: Closing, attempt: Attempt): Promise<void> => {
    await control.questions.close(attempt.run, approval, opening, answer);
    await control.runs.change(attempt.run, {
      state,
      failure: null,
      ...(step ? { steps: [{ id: approval, state: step, generation, because: `decided: ${answer}` }] } : {}),
    });
  };
}

/**
 * Whether a decision counts. Judged by the row that the API wrote (never by the message), the person's groups as the inventory has
 * them now, and the policy; what is refused is recorded with its reason. The first judgement of a decision stands.
 */
export function authorise(dependencies: EngineDependencies) {
  const { control, inventory } = dependencies;
  return async (message: DecisionMessage & { refuse?: string }, attempt: Attempt): Promise<Authorisation> => {
    const row = await control.questions.decision(message.decisionId);
    if (!row) return { counts: false, because: 'the API has recorded no such decision' };
    const { database } = runNameOf(attempt.run);
    const groups = groupsOf(inventory(), database, row.person);
    const question = row.approval === wholeRun ? null : await control.questions.find(attempt.run, row.approval, row.opening);
    const operators = policyOf(inventory(), database).operators;
    const requester = (await control.runs.find(attempt.run))?.requester ?? '';
    const refused = message.refuse ?? whyNot({ message, row, run: attempt.run, question, groups, operators, requester });
    const agreements = await control.questions.judge(row.id, { counts: refused === undefined, because: refused ?? 'counts' });
    const stands = await control.questions.decision(row.id);
    if (stands?.counts !== true) return { counts: false, because: stands?.because ?? refused ?? 'refused' };
    return counted(row, question, agreements);
  };
}

function counted(row: DecisionRow, question: OpenQuestion | null, agreements: readonly Agreement[]): Authorisation {
  if (!question || question.kind === 'parked') return { counts: true, settled: row.choice, because: `${row.person} decided: ${row.choice}` };
  const settled = settle(question.quorum, agreements);
  const because = settled === null ? `counted; needed: ${quorumText(question.quorum)}` : `decided: ${settled}`;
  return { counts: true, settled, because };
}

interface Judged {
  readonly message: DecisionMessage;
  readonly row: DecisionRow;
  readonly run: string;
  readonly question: (OpenQuestion & { answer: string | null }) | null;
  readonly groups: readonly string[];
  readonly operators: readonly string[];
  readonly requester: string;
}

function whyNot({ message, row, run, question, groups, operators, requester }: Judged): string | undefined {
  if (row.run !== run || row.approval !== message.approval || row.opening !== message.opening || row.choice !== message.choice) {
    return 'the message is not the decision that was recorded';
  }
  if (row.approval === wholeRun) {
    const may = row.person === requester || operators.some((group) => groups.includes(group));
    return may ? undefined : `only the requester and ${operators.join(', ')} may cancel`;
  }
  if (!question || question.answer !== null) return `"${row.approval}" is not being asked any more`;
  if (question.digest !== row.digest) return 'it was decided about another plan';
  if (!question.choices.includes(row.choice)) return `"${row.choice}" is not one of the choices`;
  if (question.kind === 'parked') {
    return operators.some((group) => groups.includes(group)) ? undefined : `only ${operators.join(', ')} may answer for a failed step`;
  }
  return whyNoApproval(row, question, groups, requester);
}

function whyNoApproval(row: DecisionRow, question: OpenQuestion, groups: readonly string[], requester: string): string | undefined {
  if (row.person === requester && row.choice === 'approve') return `${row.person} asked for the run and can't approve it`;
  if (!question.quorum.some((line) => groups.includes(line.group))) {
    return `${row.person} is in none of the groups that decide: ${quorumText(question.quorum)}`;
  }
  const before = question.agreements.find((one) => one.person === row.person);
  return before ? `${row.person} has answered already: ${before.choice}` : undefined;
}
