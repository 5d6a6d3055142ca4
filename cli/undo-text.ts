import type { RunDetail } from '../control/contract.ts';
import { fill, variablesOf, type Command } from '../domain/command.ts';
import { Failure } from '../domain/failure.ts';
import type { Plan, PlannedStep } from '../domain/plan.ts';
import { tagOf } from '../domain/run.ts';
import type { StepState } from '../domain/step.ts';
import { line, plain } from './plain.ts';

/** Steps in these states may have left something behind. */
const acted: readonly StepState[] = ['stopped', 'done', 'failed', 'marked-done', 'undo-failed'];

type Undone = PlannedStep & { readonly undo: readonly Command[] };

/**
 * What to do by hand when a run has ended and left things behind: the undo of every step that acted, the last one first, with the
 * run's own names filled in. `noReturn`: the run recorded that there is no way back; then, and when it only may have been there,
 * nothing is printed, since an undo would empty the side that serves. Throws `conflict` for that, for a run that goes on (cancel
 * it), and when there is nothing to take back.
 */
export function undoText(run: RunDetail, plan: Plan, noReturn: boolean): string {
  if (run.state !== 'closed')
    throw new Failure('conflict', `${run.run} is ${run.state}: cancel it, and it takes back itself what it changed`);
  const states = new Map(run.steps.map((step) => [step.id, step.state]));
  const mayHaveActed = plan.steps.filter((step) => acted.includes(states.get(step.id) ?? 'pending'));
  if (noReturn || mayHaveActed.some((step) => step.pointOfNoReturn === true)) {
    const what = 'began the step without return: taking steps back could empty the side that serves now';
    throw new Failure('conflict', `${run.run} ${what}. Find out which side serves, and ask somebody who knows this database`);
  }
  const steps = mayHaveActed.filter(hasUndo).toReversed();
  if (run.left.length === 0 || steps.length === 0) throw new Failure('conflict', `${run.run} left nothing behind that has an undo`);
  const tag = tagOf(run.run);
  const values = { tag, tag_drop: `${tag}_drop`, run: run.run };
  const asked = new Set<string>();
  const lines = steps.flatMap((step) => stepLines(step, run, values, asked));
  return [
    `BY HAND  what ${run.run} left behind, the last step first`,
    '  Look before each command whether it still applies. Steadyhand itself does nothing here.',
    "  First in each session of psql: SET steadyhand.ddl = 'allow';   (else the freeze of a run refuses DDL to you, too)",
    '',
    ...lines,
    ...(asked.size === 0 ? [] : [`Values that are yours to fill in (the tag of the run is ${tag}):`]),
    ...[...asked].map((name) => `  :${name}  ${line(plan.variables[name] ?? '')}`),
    ...(asked.size === 0 ? [] : ['']),
    `Then free the lease: steadyhand lease release ${run.database} --reason '…'`,
    '',
  ].join('\n');
}

function hasUndo(step: PlannedStep): step is Undone {
  return step.applies !== false && step.undo !== undefined && step.undo.length > 0;
}

function stepLines(step: Undone, run: RunDetail, values: Readonly<Record<string, string>>, asked: Set<string>): string[] {
  const position = run.steps.find((one) => one.id === step.id)?.position ?? 0;
  return [
    `${String(position).padStart(3)}. ${line(step.title)}`,
    ...step.undo.flatMap((command) => commandLines(command, values, asked)),
    '',
  ];
}

function commandLines(command: Command, values: Readonly<Record<string, string>>, asked: Set<string>): string[] {
  const missing = variablesOf(command).filter((name) => !Object.hasOwn(values, name));
  for (const name of missing) asked.add(name);
  // What is not known keeps its name, so that it can be set in psql.
  const text = missing.length === 0 ? fill(command, values) : command.text;
  const lead = `     ${`${command.on} ${command.kind}`.padEnd(16)} `;
  const when = command.when === undefined ? [] : [`${' '.repeat(lead.length)}-- ${line(command.when)}`];
  const end = command.kind === 'sql' ? ';' : '';
  return [...when, ...`${plain(text)}${end}`.split('\n').map((one, index) => `${index === 0 ? lead : ' '.repeat(lead.length)}${one}`)];
}
