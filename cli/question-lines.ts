import type { OpenQuestion, RunDetail } from '../control/contract.ts';
import { quorumText, stillNeeded, type Nudge } from '../domain/approval.ts';
import type { Choice } from '../domain/decision.ts';
import { durationText } from '../domain/duration.ts';
import type { FailureReport } from '../domain/failure.ts';
import { runNameOf } from '../domain/run.ts';
import { askingLines, type ShownRun } from './asking.ts';
import { clock } from './clock.ts';
import { findingsOf } from './findings-text.ts';
import { block, line } from './plain.ts';

/** Each open question with the exact commands to answer it. */
export function questionLines(run: ShownRun, now: number): string[] {
  return run.questions.flatMap((question) => [
    '',
    ...(question.kind === 'approval' ? [...approvalLines(run, question, now), ...answerLines(run, question)] : parkedLines(run, question)),
  ]);
}

/** What is asked, what it means for the database and its users, and who has to agree. */
export function approvalLines(run: ShownRun, question: OpenQuestion, now: number): string[] {
  const agreed = agreedBy(question);
  const again = question.opening > 1 ? ` (asked again, ${question.opening} by now: the plan has changed)` : '';
  return [
    `? ${titleOf(run, question.approval)}${again}`,
    ...askingLines(run, question),
    `  needs    ${quorumText(question.quorum) || 'nobody'}, not ${line(question.requester)}${deadlineText(question, now)}`,
    `  agreed   ${agreed.length === 0 ? 'nobody yet' : `${agreed.join(', ')}; still needed: ${quorumText(stillNeeded(question.quorum, question.agreements)) || 'nobody'}`}`,
    ...chainLines(question, now),
    `  digest   ${question.digest}`,
  ];
}

function answerLines(run: ShownRun, question: OpenQuestion): string[] {
  const { id } = runNameOf(run.run);
  const warnings = findingsOf(run).reduce((sum, one) => sum + one.warns, 0);
  return [
    `  read     steadyhand show ${id} --plan`,
    ...(warnings === 0 || run.asking !== undefined ? [] : [`  warnings ${warnings}: steadyhand show ${id} --findings`]),
    `  approve  steadyhand approve ${id} --digest ${question.digest.slice(0, 12)}`,
    `  reject   steadyhand reject ${id} --reason '…'`,
    ...(agreedBy(question).length === 0 ? [] : [`  withdraw steadyhand withdraw ${id}`]),
  ];
}

const agreedBy = ({ agreements }: OpenQuestion): string[] =>
  agreements.filter((one) => one.choice === 'approve').map((one) => line(one.person));

/** "reminded 12:05Z; from 12:30Z on 1 of dba or oncall". */
function chainLines({ chain }: OpenQuestion, now: number): string[] {
  if (chain.length === 0) return [];
  const told = chain.map(({ at, quorum, done }: Nudge): string => {
    if (quorum === undefined) return done === null ? `reminder at ${clock(at, now)}` : `reminded ${clock(done, now)}`;
    return done === null ? `from ${clock(at, now)} on ${quorumText(quorum)}` : `since ${clock(done, now)} ${quorumText(quorum)}`;
  });
  return [`  then     ${told.join('; ')}`];
}

function parkedLines(run: RunDetail, question: OpenQuestion): string[] {
  const { id } = runNameOf(run.run);
  const from = question.failure?.facts['againFrom'];
  const againFrom = typeof from === 'string' ? titleOf(run, from) : 'this step';
  return [
    `! ${titleOf(run, question.approval)} failed; the run is parked and waits for a decision`,
    ...(question.failure === null ? [] : failureLines(question.failure)),
    ...question.choices
      .filter((choice) => choice !== 'cancel')
      .map(
        (choice) =>
          `  ${choice.padEnd(12)} steadyhand decide ${id} ${choice}${needsReason(choice) ? " --reason '…'" : ''}${meaningOf(choice, againFrom)}`,
      ),
  ];
}

/** As a comment of the shell: the line can be copied whole. */
function meaningOf(choice: Choice, againFrom: string): string {
  const meanings: Partial<Record<Choice, string>> = {
    retry: 'look, and go on with what is there',
    'start-again': againFrom === 'this step' ? 'undo this step, do it anew' : `undo all from ${againFrom} on, do it anew`,
    skip: 'go on without it',
    'mark-done': 'you saw it done',
    'roll-back': 'undo all',
    abort: 'stop, undo nothing',
  };
  return meanings[choice] === undefined ? '' : `  # ${meanings[choice]}`;
}

/** Whether the API takes this answer only with a reason. */
export function needsReason(choice: Choice): boolean {
  return choice !== 'approve' && choice !== 'retry' && choice !== 'start-again';
}

function titleOf(run: RunDetail, id: string): string {
  const step = run.steps.find((one) => one.id === id);
  return step === undefined ? line(id) : `step ${step.position} (${line(step.title)})`;
}

function deadlineText(question: OpenQuestion, now: number): string {
  if (question.deadline === undefined) return '';
  const left = Date.parse(question.deadline) - now;
  return left > 0 ? `, within ${durationText(left)}` : ', the deadline has passed';
}

export function failureLines(failure: FailureReport): string[] {
  const [first = '', ...rest] = block(failure.message, '    ');
  return [`  ${failure.code}: ${first}`, ...rest, `  do       ${line(failure.hint)}`];
}
