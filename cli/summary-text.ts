import { durationText } from '../domain/duration.ts';
import type { Held, PlanSummary } from '../domain/plan-summary.ts';
import { line } from './plain.ts';

/** The lines that an approver reads first; `titleOf` names a step by its position. */
export function summaryLines(summary: PlanSummary, titleOf: (position: number) => string): string[] {
  const { steps, changes, approvals } = summary;
  const asked = approvals.map((position) => `step ${position} (${line(titleOf(position))})`);
  return [
    field('steps', `${steps}, ${changesText(changes)}`),
    field('takes', takesText(summary)),
    field('asks', asked.length === 0 ? 'nobody' : asked.join(', ')),
    ...holdsLines(summary.holds),
    field('back', backText(summary)),
  ];
}

/** "of which 2 change something". */
export const changesText = (changes: number): string =>
  `of which ${changes === 0 ? 'none changes' : changes === 1 ? '1 changes' : `${changes} change`} something`;

export function field(name: string, text: string): string {
  return `  ${name.padEnd(8)} ${text}`;
}

export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** How long people take to agree is nobody's to estimate. */
export function takesText({ steps, approvals, estimate: { seconds, unknown } }: PlanSummary): string {
  const working = steps - approvals.length;
  if (unknown === working) return 'unknown: no step has run here before, and none moves data of a known size';
  const sum = durationText(seconds * 1_000);
  if (unknown > 0) return `unknown: ${unknown} of ${working} steps have no estimate; the others take about ${sum}`;
  return `about ${sum}${approvals.length === 0 ? '' : ', without the time that people take to agree'}`;
}

export function holdsLines(holds: readonly Held[]): string[] {
  if (holds.length === 0) return [field('holds up', 'nothing')];
  return holds.map((one, index) => field(index === 0 ? 'holds up' : '', heldText(one)));
}

/** "writes, at step 14: at most 2.0 s; over that the run gives way". */
function heldText({ what, step, until, atMostSeconds, aboutSeconds, asks }: Held): string {
  const where = `${line(what)}, ${until === step ? `at step ${step}` : `from step ${step} to the end of step ${until}`}`;
  if (atMostSeconds !== null) return `${where}: at most ${durationText(atMostSeconds * 1_000)}; over that the run gives way`;
  const about = aboutSeconds === null ? 'for a time that has no estimate' : `about ${durationText(aboutSeconds * 1_000)}`;
  return `${where}: ${about}${asks ? ', and the time that people take to agree' : ''}`;
}

function backText({ noReturn }: PlanSummary): string {
  return noReturn === null ? 'possible from every step' : `possible until step ${noReturn} begins, then only forward`;
}
