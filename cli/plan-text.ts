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
 * commands, what takes each back, and from where not. A long plan has scrolled by then, so what matters stands at the end, too.
 */
export function planText(plan: Plan, { findings, columns }: PlanShown = {}): string {
  const verdict = findings === undefined ? [] : verdictLines(findings);
  const wrapped = (lines: readonly string[]): string[] => (columns === undefined ? [...lines] : lines.flatMap((one) => wrap(one, columns)));
  return [
    ...wrapped([`PLAN  ${plan.runbook} of ${plan.database} (version ${plan.version})`, ...verdict, ...header(plan)]),
    '',
    ...(findings === undefined || findings.length === 0 ? [] : [...wrapped(['FINDINGS', ...findingLines(findings)]), '']),
    ...plan.steps.flatMap((step, index) => stepLines(step, index + 1, { wrapped, columns })),
    ...wrapped(variables(plan)),
    ...wrapped(findings === undefined ? [] : closing(plan, findings, verdict, columns !== undefined)),
    '',
  ].join('\n');
}

/** What stays on the screen. */
function closing(plan: Plan, findings: readonly Finding[], verdict: readonly string[], isTerminal: boolean): string[] {
  if (isBlocked(findings)) return ['', ...verdict, ...findingLines(findings.filter((one) => one.level === 'blocks'))];
  return isTerminal ? ['', ...verdict, ...summaryOfPlan(plan)] : [];
}

/** `BLOCKED by 2 findings: …`. */
function verdictLines(findings: readonly Finding[]): string[] {
  const count = (level: Finding['level']): number => findings.filter((one) => one.level === level).length;
  const [blocking, warning] = [count('blocks'), count('warns')];
  const warned = warning === 0 ? '' : `; ${counted(warning, 'warning')}`;
  if (blocking === 0)
    return [warning === 0 ? '  NOT BLOCKED: no finding blocks it' : `  NOT BLOCKED: no finding blocks it${warned}, see the findings`];
  return [`  BLOCKED by ${counted(blocking, 'finding')}: a run that is asked for now would be refused${warned}`];
}

function header(plan: Plan): string[] {
  const input = Object.entries(plan.input).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [
    ...summaryOfPlan(plan),
    ...(input.length > 0 ? [field('input', line(input.join(' ')))] : []),
    field('made', `${plan.madeAt}, from facts ${plan.facts.slice(0, 12)}`),
    field('digest', `${plan.digest}${plan.from === undefined ? '' : `, of the steps from ${stepName(plan, plan.from)} on`}`),
  ];
}

function summaryOfPlan(plan: Plan): string[] {
  return summaryLines(summaryOf(plan), (position) => plan.steps[position - 1]?.title ?? '');
}

function stepName(plan: Plan, id: string): string {
  const index = plan.steps.findIndex((step) => step.id === id);
  return index < 0 ? line(id) : `step ${index + 1}`;
}

interface Terminal {
  readonly columns: number | undefined;
  wrapped(lines: readonly string[]): string[];
}

function stepLines(step: PlannedStep, number: number, { columns, wrapped }: Terminal): string[] {
  const title = `${String(number).padStart(3)}. ${step.kind.padEnd(8)} ${line(step.title)}`;
  if (step.applies === false) return [title, ...wrapped([`       not needed: ${line(step.because)}`]), ''];
  return [
    ...(step.pointOfNoReturn === true ? [`======== POINT OF NO RETURN: from step ${number} on there is only forward ========`] : []),
    `${title}${estimateText(step.estimate)}`,
    ...step.commands.flatMap((command) => commandLines('', command, columns)),
    ...wrapped([
      ...(step.limits ?? []).map((limit) => `       limit  ${line(limit.text)}`),
      ...(step.notes ?? []).map((note) => `       note   ${line(note)}`),
    ]),
    ...wrapped(noUndoLines(step)),
    ...(step.undo ?? []).flatMap((command) => commandLines('undo ', command, columns)),
    ...(step.skippable === true ? ['       may be skipped if it fails'] : []),
    '',
  ];
}

function estimateText(estimate: Estimate): string {
  const from = { 'earlier-runs': 'by earlier runs', 'size-and-rate': 'by size and rate', unknown: '' }[estimate.from];
  return estimate.seconds === undefined ? '' : `  (about ${durationText(estimate.seconds * 1_000)}, ${from})`;
}

function noUndoLines({ undo = [], noUndo }: Extract<PlannedStep, { commands: unknown }>): string[] {
  return undo.length > 0 || noUndo === undefined ? [] : [`       no undo: ${line(noUndo)}`];
}

/** The text stands as it is executed; its further lines are indented below the first one. */
function commandLines(prefix: string, command: Command, columns: number | undefined): string[] {
  const lead = `       ${prefix}${`${command.on} ${command.kind}`.padEnd(16)} `;
  const [first = '', ...rest] = plain(command.text).split('\n');
  const when = command.when === undefined ? [] : commentLines(`${' '.repeat(lead.length)}-- `, line(command.when), columns);
  return [...when, `${lead}${first}`, ...rest.map((more) => `${' '.repeat(lead.length)}${more}`)];
}

/** It is copied with its command, so each of its lines is a comment. */
function commentLines(lead: string, text: string, columns: number | undefined): string[] {
  const lines = columns === undefined ? [text] : wrap(text, columns - lead.length);
  return lines.map((one) => `${lead}${one.trimStart()}`);
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
