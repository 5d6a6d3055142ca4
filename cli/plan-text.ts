import type { Command } from '../domain/command.ts';
import { durationText } from '../domain/duration.ts';
import type { Estimate, Plan, PlannedStep } from '../domain/plan.ts';
import { line, plain } from './plain.ts';

/** A plan for a person at 3 a.m.: what will happen, in order, with the exact commands, what takes each back, and from where not. */
export function planText(plan: Plan): string {
  return [...header(plan), '', ...plan.steps.flatMap((step, index) => stepLines(step, index + 1)), ...variables(plan)].join('\n') + '\n';
}

function header(plan: Plan): string[] {
  const input = Object.entries(plan.input).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [
    `PLAN  ${plan.runbook} of ${plan.database} (version ${plan.version})`,
    field('digest', `${plan.digest}${plan.from === undefined ? '' : `, of the steps from ${stepName(plan, plan.from)} on`}`),
    field('made', `${plan.madeAt}, from facts ${plan.facts.slice(0, 12)}`),
    ...(input.length > 0 ? [field('input', line(input.join(' ')))] : []),
    field('takes', totalText(plan.steps)),
    field('asks', asksText(plan.steps)),
    field('back', backText(plan.steps)),
  ];
}

function stepName(plan: Plan, id: string): string {
  const index = plan.steps.findIndex((step) => step.id === id);
  return index < 0 ? line(id) : `step ${index + 1}`;
}

function field(name: string, text: string): string {
  return `  ${name.padEnd(7)} ${text}`;
}

/** How long people take to agree is nobody's to estimate. */
function totalText(steps: readonly PlannedStep[]): string {
  const applying = steps.filter((step) => step.applies !== false && step.kind !== 'approval');
  const known = applying.flatMap(({ estimate }) => (estimate.seconds === undefined ? [] : [estimate.seconds]));
  const unknown = applying.length - known.length;
  if (known.length === 0) return 'unknown: no step has run here before, and none moves data of a known size';
  const sum = durationText(known.reduce((all, one) => all + one, 0) * 1_000);
  const people = steps.some((step) => step.kind === 'approval' && step.applies !== false)
    ? ', without the time that people take to agree'
    : '';
  return unknown === 0
    ? `about ${sum}${people}`
    : `unknown: ${unknown} of ${applying.length} steps cannot be told; the others take about ${sum}`;
}

function asksText(steps: readonly PlannedStep[]): string {
  const asking = steps.flatMap((step, index) =>
    step.kind === 'approval' && step.applies !== false ? [`step ${index + 1} (${line(step.title)})`] : [],
  );
  return asking.length === 0 ? 'nobody' : asking.join(', ');
}

function backText(steps: readonly PlannedStep[]): string {
  const index = steps.findIndex((step) => step.pointOfNoReturn === true && step.applies !== false);
  return index < 0 ? 'possible from every step' : `possible until step ${index + 1} begins, then only forward`;
}

function stepLines(step: PlannedStep, number: number): string[] {
  const title = `${String(number).padStart(3)}. ${step.kind.padEnd(8)} ${line(step.title)}`;
  if (step.applies === false) return [`${title}`, `       not needed: ${line(step.because)}`, ''];
  return [
    ...(step.pointOfNoReturn === true ? [`======== POINT OF NO RETURN: from step ${number} on there is only forward ========`] : []),
    `${title}${estimateText(step.estimate)}`,
    ...step.commands.flatMap((command) => commandLines('', command)),
    ...(step.limits ?? []).map((limit) => `       limit  ${line(limit.text)}`),
    ...(step.notes ?? []).map((note) => `       note   ${line(note)}`),
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
