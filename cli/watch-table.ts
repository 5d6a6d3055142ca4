import type { OpenQuestion, RunDetail, StepRow } from '../control/contract.ts';
import { durationText } from '../domain/duration.ts';
import { runNameOf } from '../domain/run.ts';
import type { StepState } from '../domain/step.ts';
import { evidenceLines } from './evidence-text.ts';
import type { ShownRun } from './asking.ts';
import { block, firstLine, line } from './plain.ts';
import { glassLines } from './glass-lines.ts';
import { failureLines, questionLines } from './question-lines.ts';
import { waitingText } from './waiting-text.ts';

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
  stopped: '■',
  rejected: '⊘',
  expired: '⊘',
};

/** A run as lines: head, a line for each step, open questions with the commands that answer them, and how it ended. */
export function runLines(run: ShownRun, now: number): string[] {
  return [
    headLine(run, now),
    ...waitLines(run, now),
    ...glassLines(run),
    ...frozenLines(run),
    ...delayLines(run),
    ...stepLines(run, run.steps, now),
    ...questionLines(run, now),
    ...endLines(run),
  ];
}

/** Why its workflow could not be started yet. */
function delayLines({ state, failure }: RunDetail): string[] {
  return state === 'requested' && failure !== null ? ['! not started yet, tried again every 2 s', ...failureLines(failure)] : [];
}

function waitLines(run: RunDetail, now: number): string[] {
  const text = waitingText(run, now);
  return text === undefined ? [] : [`  ${text}`];
}

function stepLines(run: RunDetail, steps: readonly StepRow[], now: number): string[] {
  const width = Math.max(0, ...run.steps.map((step) => line(step.title).length));
  const text = (step: StepRow): string => stepLine(step, endOf(run, now), width);
  return steps.map(text);
}

/** Until when a step that has no end of its own is counted: in a run that is over nothing goes on. */
function endOf(run: RunDetail, now: number): number {
  return run.closedAt === null ? now : Date.parse(run.closedAt);
}

function headLine(run: RunDetail, now: number): string {
  const { id } = runNameOf(run.run);
  const took = durationText(Math.max(0, endOf(run, now) - Date.parse(run.requestedAt)));
  const state = run.state === 'closed' ? `closed: ${run.outcome ?? 'unknown'}` : run.state;
  return `${run.runbook} of ${run.database}  ${state}  (${took})  ${id}  asked by ${line(run.requester)}`;
}

/** What stops it, with the command that ends that. */
function frozenLines({ frozen }: RunDetail): string[] {
  if (frozen === null) return [];
  return [`* ${line(frozen.text)}`, `  lift     steadyhand freeze off ${frozen.id} --reason '…'`];
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
    ...(step.superseded > 0 ? [`${step.superseded} gave way`] : []),
  ];
  const because = step.because === null ? [] : [line(step.because)];
  switch (step.state) {
    case 'pending':
      return [];
    case 'absent':
      return [`not needed: ${because[0] ?? ''}`];
    case 'running':
    case 'waiting':
      if (step.state === 'waiting' && step.kind !== 'approval') return ['stands still', ...because];
      return [wordOf(step.state), timeText(spent), progressText(step), ...again].filter((part) => part !== '');
    case 'expired':
    case 'undoing':
      return [wordOf(step.state), ...again];
    case 'stopped':
      return [wordOf(step.state), timeText(spent), ...again].filter((part) => part !== '');
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
    case 'rejected':
      return [wordOf(step.state), ...because, ...again];
  }
}

function wordOf(state: StepState): string {
  return (
    {
      'marked-done': 'marked done',
      'undo-failed': 'UNDO FAILED',
      failed: 'FAILED',
      running: '',
      waiting: 'waiting for people',
      stopped: 'stopped, not finished',
    }[state as string] ?? state
  );
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? '' : durationText(ms);
}

/** What people want to know first stands first: a narrow terminal cuts the rest. */
function progressText({ progress, state }: StepRow): string {
  if (progress === null || state !== 'running') return '';
  const { summary, fraction, secondsLeft } = progress;
  const parts: string[] = [];
  if (fraction !== undefined) parts.push(`${Math.floor(fraction * 100)} %`);
  if (secondsLeft !== undefined) parts.push(`about ${leftText(secondsLeft)} left`);
  return [...parts, line(summary)].join(', ');
}

/** An estimate has no tenths. */
function leftText(seconds: number): string {
  return seconds < 60 ? `${Math.ceil(seconds)} s` : durationText(seconds * 1_000);
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
    ...leftLines(run),
    ...evidenceLines(run.evidence),
  ];
}

/** What is left is named by its step; taking it back and freeing the lease are a person's work. */
function leftLines(run: RunDetail): string[] {
  if (run.left.length === 0) return [];
  const titleOf = (id: string): string | undefined => run.steps.find((step) => step.id === id)?.title;
  const named = run.left.map((one) => line(one.replace(/^[\w-]+(?=:| \()/, (id) => titleOf(id) ?? id)));
  return [
    '  left behind:',
    ...named.map((one) => `    ${one}`),
    `  take it back  steadyhand janitor --remove ${runNameOf(run.run).id} --reason '…'`,
    `  by hand       steadyhand show ${runNameOf(run.run).id} --undo, then steadyhand lease release ${run.database} --reason '…'`,
  ];
}

/** What is new since the last look, for an output that cannot be redrawn. `progress`: also the steps that only went further. */
export function changedLines(before: RunDetail | null, run: ShownRun, now: number, progress: boolean): string[] {
  const old = new Map(before?.steps.map((step) => [step.id, step]));
  const changed = run.steps.filter((step) => news(old.get(step.id), step, progress));
  const asked = new Set(before?.questions.map(standingOf));
  const questions = run.questions.filter((one) => !asked.has(standingOf(one)));
  const frozen = before?.frozen?.id === run.frozen?.id ? [] : frozenLines(run);
  const glass = glassLines(run).filter((text) => !(before === null ? [] : glassLines(before)).includes(text));
  const head = before?.state === run.state ? [...glass, ...frozen] : [headLine(run, now), ...glass, ...frozen];
  const waits = sameLine(before, run) ? [] : waitLines(run, now);
  const delay = before?.failure?.message === run.failure?.message ? [] : delayLines(run);
  const steps = stepLines(run, changed, now);
  return [
    // The end of the run comes after the end of its steps.
    ...(run.state === 'closed' ? [...steps, ...head] : [...head, ...waits, ...delay, ...steps]),
    ...questionLines({ ...run, questions }, now).filter((text) => text !== ''),
    ...(before?.state === run.state ? [] : endLines(run).filter((text) => text !== '')),
  ];
}

/** Whether nobody went and nobody came whom people would want to know of. */
function sameLine(before: RunDetail | null, { waits }: RunDetail): boolean {
  const told = (one: RunDetail['waits'] | undefined): unknown[] => [
    one?.database,
    one?.place,
    one?.holder,
    one?.state,
    one?.first?.run,
    one?.first?.asks,
  ];
  return told(before?.waits).join() === told(waits).join();
}

/** What makes a question worth telling again: who has agreed by now, who was reminded, who may answer. */
function standingOf({ approval, opening, agreements, chain }: OpenQuestion): string {
  return [approval, opening, ...agreements.map((one) => one.person), ...chain.map((one) => one.done)].join('/');
}

/**
 * Tells, look after look, what is new since the one before. A step that only went further is told when `everyMs` have passed since
 * the last such news.
 */
export function telling(everyMs: number): (run: ShownRun, now: number) => string[] {
  let before: RunDetail | null = null;
  let toldAt = Number.NEGATIVE_INFINITY;
  return (run, now) => {
    const progress = now - toldAt >= everyMs;
    const lines = changedLines(before, run, now, progress);
    if (progress && lines.length > 0) toldAt = now;
    before = toldOf(before, run, progress);
    return lines;
  };
}

/** What to compare the next look with: a step that only went further, and was not told, is news still. */
function toldOf(before: RunDetail | null, run: RunDetail, progress: boolean): RunDetail {
  if (progress || before === null) return run;
  const old = new Map(before.steps.map((step) => [step.id, step]));
  return {
    ...run,
    steps: run.steps.map((step) => {
      const told = old.get(step.id);
      return told?.state === step.state && told.generation === step.generation ? { ...step, progress: told.progress } : step;
    }),
  };
}

function news(before: StepRow | undefined, step: StepRow, progress: boolean): boolean {
  if (before === undefined) return step.state !== 'pending';
  if (before.state !== step.state || before.generation !== step.generation) return true;
  if (before.attempt !== step.attempt && step.kind !== 'wait') return true;
  return progress && step.state === 'running' && before.progress?.summary !== step.progress?.summary;
}
