import type { OpenQuestion, RunDetail, StepRow } from '../control/contract.ts';
import { quorumText, settle, type QuorumLine } from '../domain/approval.ts';
import type { Choice } from '../domain/decision.ts';
import { durationText } from '../domain/duration.ts';
import type { FailureReport } from '../domain/failure.ts';
import { runNameOf } from '../domain/run.ts';
import type { StepState } from '../domain/step.ts';
import { evidenceLines } from './evidence-text.ts';
import { findingsOf } from './findings-text.ts';
import { block, firstLine, line } from './plain.ts';

const marks: Readonly<Record<StepState, string>> = {
  pending: '·',
  absent: '-',
  running: '>',
  waiting: '?',
  done: '✓',
  failed: '✗',
  skipped: '»',
  'marked-done': '✓',
  undoing: '<',
  undone: '↶',
  'undo-failed': '✗',
};

/** A run as lines: head, a line for each step, open questions with the commands that answer them, and how it ended. */
export function runLines(run: RunDetail, now: number): string[] {
  return [headLine(run, now), ...stepLines(run, run.steps, now), ...questionLines(run, now), ...endLines(run)];
}

function stepLines(run: RunDetail, steps: readonly StepRow[], now: number): string[] {
  const width = Math.max(0, ...run.steps.map((step) => line(step.title).length));
  const text = (step: StepRow): string => stepLine(step, endOf(run, now), width);
  if (run.state !== 'closed') return steps.map(text);
  // A run that ended in the middle of a step (terminated, refused its lease) leaves it as it stood.
  return steps.map((step) =>
    step.state === 'running' || step.state === 'waiting' ? `${text({ ...step, progress: null })}, not finished` : text(step),
  );
}

/** Until when a step that has no end of its own is counted: in a run that is over nothing goes on. */
function endOf(run: RunDetail, now: number): number {
  return run.closedAt === null ? now : Date.parse(run.closedAt);
}

function headLine(run: RunDetail, now: number): string {
  const { id } = runNameOf(run.run);
  const took = durationText(Math.max(0, endOf(run, now) - Date.parse(run.requestedAt)));
  const state = run.state === 'closed' ? `closed: ${run.outcome ?? 'unknown'}` : run.state;
  return `${run.runbook} of ${run.database}  ${id}  ${state}  (${took}, asked by ${line(run.requester)})`;
}

/** `> 4 Initial copy   1 min 3 s  31 of 42 tables, 84 MB/s, 38 %, about 2 min left`. */
function stepLine(step: StepRow, now: number, width: number): string {
  const head = `${marks[step.state]} ${String(step.position).padStart(2)} ${line(step.title).padEnd(width)}`;
  return [head, ...stepFacts(step, now)].join('  ').trimEnd();
}

function stepFacts(step: StepRow, now: number): string[] {
  const spent =
    step.startedAt === null
      ? undefined
      : Math.max(0, (step.finishedAt === null ? now : Date.parse(step.finishedAt)) - Date.parse(step.startedAt));
  const again = [
    ...(step.generation > 1 ? [`generation ${step.generation}`] : []),
    // A step that waits looks again by a further attempt: that is no news.
    ...(step.attempt > 1 && step.kind !== 'wait' ? [`attempt ${step.attempt}`] : []),
  ];
  const because = step.because === null ? [] : [line(step.because)];
  switch (step.state) {
    case 'pending':
      return [];
    case 'absent':
      return [`not needed: ${because[0] ?? ''}`];
    case 'running':
    case 'undoing':
    case 'waiting':
      return [wordOf(step.state), timeText(spent), progressText(step), ...again].filter((part) => part !== '');
    case 'failed':
    case 'undo-failed':
      return [
        wordOf(step.state),
        timeText(spent),
        ...again,
        step.failure === null ? '' : `${step.failure.code}: ${firstLine(step.failure.message)}`,
      ].filter((part) => part !== '');
    case 'done':
      return [timeText(spent), ...again].filter((part) => part !== '');
    case 'skipped':
    case 'marked-done':
    case 'undone':
      return [wordOf(step.state), ...because, ...again];
  }
}

function wordOf(state: StepState): string {
  return (
    { 'marked-done': 'marked done', 'undo-failed': 'UNDO FAILED', failed: 'FAILED', running: '', waiting: 'waiting for people' }[
      state as string
    ] ?? state
  );
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? '' : durationText(ms);
}

function progressText({ progress, state }: StepRow): string {
  if (progress === null || state !== 'running') return '';
  const { summary, fraction, secondsLeft } = progress;
  const parts = [line(summary)];
  if (fraction !== undefined) parts.push(`${Math.floor(fraction * 100)} %`);
  if (secondsLeft !== undefined) parts.push(`about ${durationText(secondsLeft * 1_000)} left`);
  return parts.join(', ');
}

/** Each open question with the exact commands to answer it. */
export function questionLines(run: RunDetail, now: number): string[] {
  return run.questions.flatMap((question) => [
    '',
    ...(question.kind === 'approval' ? approvalLines(run, question, now) : parkedLines(run, question)),
  ]);
}

function approvalLines(run: RunDetail, question: OpenQuestion, now: number): string[] {
  const { id } = runNameOf(run.run);
  const warnings = findingsOf(run).reduce((sum, one) => sum + one.warns, 0);
  const agreed = question.agreements.filter((one) => one.choice === 'approve').map((one) => line(one.person));
  const again = question.opening > 1 ? ` (asked again, ${question.opening} by now: the plan has changed)` : '';
  return [
    `? ${titleOf(run, question.approval)}${again}`,
    `  needs    ${quorumText(question.quorum) || 'nobody'}, not ${line(question.requester)}${deadlineText(question, now)}`,
    `  agreed   ${agreed.length === 0 ? 'nobody yet' : `${agreed.join(', ')}; still needed: ${missingText(question)}`}`,
    `  digest   ${question.digest}`,
    `  read     steadyhand show ${id} --plan`,
    ...(warnings === 0 ? [] : [`  warnings ${warnings}: steadyhand show ${id} --findings`]),
    `  approve  steadyhand approve ${id} --digest ${question.digest.slice(0, 16)}`,
    `  reject   steadyhand reject ${id} --reason '…'`,
  ];
}

/** The places of the quorum that nobody fills yet. A person in two groups fills the one that helps most. */
function missingText({ quorum, agreements }: OpenQuestion): string {
  const filled: QuorumLine[] = [];
  const missing = new Map<string, number>();
  for (const { group, count } of quorum) {
    for (let place = 0; place < count; place += 1) {
      if (settle([...filled, { group, count: 1 }], agreements) === 'approve') filled.push({ group, count: 1 });
      else missing.set(group, (missing.get(group) ?? 0) + 1);
    }
  }
  return quorumText([...missing].map(([group, count]) => ({ group, count }))) || 'nobody';
}

function parkedLines(run: RunDetail, question: OpenQuestion): string[] {
  const { id } = runNameOf(run.run);
  return [
    `! ${titleOf(run, question.approval)} failed; the run is parked and waits for a decision`,
    ...(question.failure === null ? [] : failureLines(question.failure)),
    ...question.choices
      .filter((choice) => choice !== 'cancel')
      .map((choice) => `  ${choice.padEnd(12)} steadyhand decide ${id} ${choice}${needsReason(choice) ? " --reason '…'" : ''}`),
  ];
}

function needsReason(choice: Choice): boolean {
  return choice !== 'retry' && choice !== 'start-again';
}

function titleOf(run: RunDetail, id: string): string {
  const step = run.steps.find((one) => one.id === id);
  return step === undefined ? line(id) : `step ${step.position}, ${line(step.title)}`;
}

function deadlineText(question: OpenQuestion, now: number): string {
  if (question.deadline === undefined) return '';
  const left = Date.parse(question.deadline) - now;
  return left > 0 ? `, within ${durationText(left)}` : ', the deadline has passed';
}

function failureLines(failure: FailureReport): string[] {
  const [first = '', ...rest] = block(failure.message, '    ');
  return [`  ${failure.code}: ${first}`, ...rest, `  do       ${line(failure.hint)}`];
}

function endLines(run: RunDetail): string[] {
  if (run.state !== 'closed') return [];
  const outcome = run.outcome ?? 'closed';
  // What it failed of is mostly why it ended: then it stands there once.
  const told = run.failure !== null && run.failure.message === run.because;
  return [
    '',
    ...(run.because === null || told ? [outcome] : block(`${outcome}: ${run.because}`, '  ')),
    ...(run.failure === null ? [] : failureLines(run.failure)),
    ...(run.left.length === 0 ? [] : ['  left behind:', ...run.left.map((one) => `    ${line(one)}`)]),
    ...evidenceLines(run.evidence),
  ];
}

/** What is new since the last look, for an output that cannot be redrawn. `progress`: also the steps that only went further. */
export function changedLines(before: RunDetail | null, run: RunDetail, now: number, progress: boolean): string[] {
  const old = new Map(before?.steps.map((step) => [step.id, step]));
  const changed = run.steps.filter((step) => news(old.get(step.id), step, progress));
  const asked = new Set(before?.questions.map((one) => `${one.approval}/${one.opening}/${one.agreements.length}`));
  const questions = run.questions.filter((one) => !asked.has(`${one.approval}/${one.opening}/${one.agreements.length}`));
  const head = before?.state === run.state ? [] : [headLine(run, now)];
  const steps = stepLines(run, changed, now);
  return [
    // The end of the run comes after the end of its steps.
    ...(run.state === 'closed' ? [...steps, ...head] : [...head, ...steps]),
    ...questionLines({ ...run, questions }, now).filter((text) => text !== ''),
    ...(before?.state === run.state ? [] : endLines(run).filter((text) => text !== '')),
  ];
}

function news(before: StepRow | undefined, step: StepRow, progress: boolean): boolean {
  if (before === undefined) return step.state !== 'pending';
  if (before.state !== step.state || before.generation !== step.generation) return true;
  if (before.attempt !== step.attempt && step.kind !== 'wait') return true;
  return progress && step.state === 'running' && before.progress?.summary !== step.progress?.summary;
}

/** As many lines as fit: the steps that are over give way first, and what does not fit is said. */
export function fit(lines: readonly string[], size: { columns: number; rows: number }): string[] {
  const room = Math.max(4, size.rows - 1);
  const cut = lines.map((text) =>
    [...text].length < size.columns ? text : `${[...text].slice(0, Math.max(1, size.columns - 2)).join('')}…`,
  );
  if (cut.length <= room) return cut;
  const over = cut.flatMap((text, index) => (index > 0 && /^[✓»-] {1,2}\d+ /.test(text) ? [index] : []));
  const dropped = new Set(over.slice(0, cut.length - room + 1));
  const kept = cut.filter((_, index) => !dropped.has(index));
  const note = dropped.size === 0 ? [] : [`  … ${dropped.size} steps that are over`];
  return [...kept.slice(0, 1), ...note, ...kept.slice(1)].slice(0, room);
}
