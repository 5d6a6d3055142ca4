import type { Command } from '../domain/command.ts';
import { durationText } from '../domain/duration.ts';
import { isBlocked, type Finding } from '../domain/finding.ts';
import type { Estimate, Plan, PlannedStep } from '../domain/plan.ts';
import { summaryOf } from '../domain/plan-summary.ts';
import { findingLines } from './findings-text.ts';
import { wrap } from './fit.ts';
import { line, plain } from './plain.ts';
import { counted, field, summaryLines } from './summary-text.ts';

/** Where a plan is shown: on a terminal what people read is wrapped, the commands are not. */
export interface PlanShown {
  readonly findings?: readonly Finding[];
  /** Absent: nothing is wrapped. */
  readonly columns?: number | undefined;
}

/**
 * A plan for a person at 3 a.m.: whether it is blocked and by what, a summary, then what will happen, in order, with the exact
 * commands, what takes each back, and from where not. The verdict stands at the end, too: a long plan has scrolled by then.
 */
export function planText(plan: Plan, { findings, columns }: PlanShown = {}): string {
  const verdict = findings === undefined ? [] : verdictLines(findings);
  const wrapped = (lines: readonly string[]): string[] => (columns === undefined ? [...lines] : lines.flatMap((one) => wrap(one, columns)));
  return [
    ...wrapped([`PLAN  ${plan.runbook} of ${plan.database} (version ${plan.version})`, ...verdict, ...header(plan)]),
    '',
    ...(findings === undefined || findings.length === 0 ? [] : [...wrapped(['FINDINGS', ...findingLines(findings)]), '']),
    ...plan.steps.flatMap((step, index) => stepLines(step, index + 1, wrapped)),
    ...variables(plan),
    ...(findings !== undefined && isBlocked(findings) ? wrapped(['', ...verdict, '  The findings stand above the steps.']) : []),
    '',
  ].join('\n');
}

/** `BLOCKED  2 of these findings block the run`. */
function verdictLines(findings: readonly Finding[]): string[] {
  const count = (level: Finding['level']): number => findings.filter((one) => one.level === level).length;
  const [blocking, warning] = [count('blocks'), count('warns')];
  const warned = warning === 0 ? '' : `; ${counted(warning, 'warning')}`;
  if (blocking === 0)
    return [warning === 0 ? '  NOT BLOCKED: no finding blocks it' : `  NOT BLOCKED: no finding blocks it${warned}, read below`];
  return [`  BLOCKED by ${counted(blocking, 'finding')}: a run that is asked for now would be refused${warned}`];
}

function header(plan: Plan): string[] {
  const input = Object.entries(plan.input).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [
    ...summaryLines(summaryOf(plan), (position) => plan.steps[position - 1]?.title ?? ''),
    ...(input.length > 0 ? [field('input', line(input.join(' ')))] : []),
    field('made', `${plan.madeAt}, from facts ${plan.facts.slice(0, 12)}`),
    field('digest', `${plan.digest}${plan.from === undefined ? '' : `, of the steps from ${stepName(plan, plan.from)} on`}`),
  ];
}

function stepName(plan: Plan, id: string): string {
  const index = plan.steps.findIndex((step) => step.id === id);
  return index < 0 ? line(id) : `step ${index + 1}`;
}

function stepLines(step: PlannedStep, number: number, wrapped: (lines: readonly string[]) => string[]): string[] {
  const title = `${String(number).padStart(3)}. ${step.kind.padEnd(8)} ${line(step.title)}`;
  if (step.applies === false) return [title, ...wrapped([`       not needed: ${line(step.because)}`]), ''];
  return [
    ...(step.pointOfNoReturn === true ? [`======== POINT OF NO RETURN: from step ${number} on there is only forward ========`] : []),
    `${title}${estimateText(step.estimate)}`,
    ...step.commands.flatMap((command) => commandLines('', command)),
    ...wrapped([
      ...(step.limits ?? []).map((limit) => `       limit  ${line(limit.text)}`),
      ...(step.notes ?? []).map((note) => `       note   ${line(note)}`),
    ]),
    ...undoLines(step),
    ...(step.skippable === true ? ['       may be skipped if it fails'] : []),
    '',
  ];
}

function estimateText(estimate: Estimate): string {
  const from = { 'earlier-runs': 'by earlier runs', 'size-and-rate': 'by size and rate', unknown: '' }[estimate.from];
  return estimate.seconds === undefined ? '' : `  (about ${durationText(estimate.seconds * 1_000)}, ${from})`;
}

function undoLines(step: Extract<PlannedStep, { commands: unknown }>): string[] {
  if (step.undo !== undefined && step.undo.length > 0) return step.undo.flatMap((command) => commandLines('undo ', command));
  if (step.noUndo !== undefined) return [`       no undo: ${line(step.noUndo)}`];
  return [];
}

/** The text stands as it is executed; its further lines are indented below the first one. */
function commandLines(prefix: string, command: Command): string[] {
  const lead = `       ${prefix}${`${command.on} ${command.kind}`.padEnd(16)} `;
  const [first = '', ...rest] = plain(command.text).split('\n');
  const when = command.when === undefined ? [] : [`${' '.repeat(lead.length)}-- ${plain(command.when)}`];
  return [...when, `${lead}${first}`, ...rest.map((more) => `${' '.repeat(lead.length)}${more}`)];
}

function variables(plan: Plan): string[] {
  const names = Object.keys(plan.variables);
  if (names.length === 0) return [];
  const width = Math.max(...names.map((name) => name.length)) + 1;
  return [
    'Values that are known only when the step runs:',
    ...names.map((name) => `  ${`:${name}`.padEnd(width)}  ${line(plan.variables[name] ?? '')}`),
  ];
}
