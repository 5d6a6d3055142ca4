import type { OpenQuestion, RunDetail } from '../control/contract.ts';
import { Failure } from '../domain/failure.ts';
import type { Finding } from '../domain/finding.ts';
import type { Plan, PlannedStep } from '../domain/plan.ts';
import { summaryOf } from '../domain/plan-summary.ts';
import { runNameOf } from '../domain/run.ts';
import type { ApiClient } from './client.ts';
import { findingsOf, findingsSchema } from './findings-text.ts';
import { cut, line } from './plain.ts';
import { runPath } from './run-of.ts';
import { changesText, counted, field, holdsLines, takesText } from './summary-text.ts';

/** What people should know before they agree: the plan that they are asked about, and what its checks have found. */
export interface Asking {
  /** Absent when it could not be read. */
  readonly plan?: Plan;
  readonly findings: readonly Finding[];
}

/** A run with what its open approval is about, where that was read. */
export type ShownRun = RunDetail & { readonly asking?: Asking };

/** Reads it once for each plan. A run that asks for no approval stays as it is; what cannot be read is left out. */
export function readAsking(client: ApiClient): (run: RunDetail) => Promise<ShownRun> {
  let known: { readonly of: string; readonly asking: Asking } | undefined;
  return async (run) => {
    if (!run.questions.some((one) => one.kind === 'approval')) return run;
    const digests = findingsOf(run).map((one) => one.findings);
    const of = [run.plan, ...digests].join();
    if (known?.of !== of) {
      const [plan, ...findings] = await Promise.all([planOf(client, run), ...digests.map(async (digest) => await foundOf(client, digest))]);
      known = { of, asking: { findings: findings.flat(), ...(plan === undefined ? {} : { plan }) } };
    }
    return { ...run, asking: known.asking };
  };
}

async function planOf(client: ApiClient, run: RunDetail): Promise<Plan | undefined> {
  const { planSchema } = await import('../api/answers.ts');
  return await client.get(`${runPath(runNameOf(run.run).id)}/plan`, planSchema).catch(leftOut);
}

async function foundOf(client: ApiClient, digest: string): Promise<Finding[]> {
  return (await client.get(`/v1/findings/${digest}`, findingsSchema).catch(leftOut)) ?? [];
}

function leftOut(error: unknown): undefined {
  if (!(error instanceof Failure)) throw error;
  return undefined;
}

const mostWarnings = 5;
const longest = 300;

/** What the run does once it is agreed, what users notice of it, every warning, and the notes of its plan. */
export function askingLines({ asking, run }: ShownRun, { digest }: OpenQuestion): string[] {
  if (asking === undefined) return [];
  const { plan, findings } = asking;
  const warnings = findings.filter((one) => one.level === 'warns');
  const shown = warnings
    .slice(0, mostWarnings)
    .map(({ check, evidence }) => field('WARNING', `${line(check)}: ${cut(line(evidence), longest)}`));
  const read = `steadyhand show ${runNameOf(run).id} --findings`;
  // Another plan by now: the next look has it.
  const asked = plan?.digest === digest ? plan : undefined;
  return [
    ...(asked ? planLines(asked) : []),
    ...shown,
    ...(warnings.length === 0 ? [] : [field('warnings', `${warnings.length}; what to do: ${read}`)]),
    ...(asked ? noteLines(asked) : []),
  ];
}

function planLines(plan: Plan): string[] {
  const summary = summaryOf(plan);
  const noReturn = summary.noReturn === null ? 'can be undone from every step' : `step ${summary.noReturn} cannot be undone`;
  return [
    field('does', `${counted(summary.steps, 'step')}, ${changesText(summary.changes)}; ${noReturn}`),
    field('takes', takesText(summary)),
    ...holdsLines(summary.holds),
  ];
}

function noteLines(plan: Plan): string[] {
  return covered(plan)
    .filter((step) => step.pointOfNoReturn === true || (step.holds ?? []).length > 0)
    .flatMap((step) => (step.notes ?? []).map((note) => field('note', cut(line(note), longest))));
}

function covered({ steps, from }: Plan): Extract<PlannedStep, { commands: unknown }>[] {
  const begin = from === undefined ? 0 : steps.findIndex((one) => one.id === from);
  return steps.slice(Math.max(0, begin)).flatMap((step) => (step.applies === false ? [] : [step]));
}
