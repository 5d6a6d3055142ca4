import type { RunDetail } from '../../control/contract.ts';
import { durationText } from '../../domain/duration.ts';

/** What every demo ends with: the run, its steps and what was proved. `--json` prints it as one line. */
export interface DemoReport {
  readonly runbook: string;
  readonly outcome: string;
  readonly database: string;
  readonly steps: readonly { readonly id: string; readonly state: string; readonly ms: number | null }[];
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly auditVerified: boolean;
}

export function reportOf(run: RunDetail, evidence: Readonly<Record<string, unknown>>, auditVerified: boolean): DemoReport {
  const steps = run.steps.map(({ id, state, startedAt, finishedAt }) => ({
    id,
    state,
    ms: startedAt === null || finishedAt === null ? null : Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)),
  }));
  return { runbook: run.runbook, outcome: run.outcome ?? run.state, database: run.database, steps, evidence, auditVerified };
}

/** The report for people: a line for each step, then what was measured. */
export function reportText(report: DemoReport, titles: ReadonlyMap<string, string>): string {
  const width = Math.max(...report.steps.map((step) => (titles.get(step.id) ?? step.id).length));
  const steps = report.steps.map((step) => {
    const title = (titles.get(step.id) ?? step.id).padEnd(width);
    return `  ${title}  ${step.state.padEnd(8)} ${step.ms === null ? '' : durationText(step.ms)}`.trimEnd();
  });
  const names = Object.keys(report.evidence);
  const wide = Math.max(...names.map((name) => name.length));
  const evidence = names.map((name) => `  ${name.padEnd(wide)}  ${text(report.evidence[name])}`);
  return [
    `REPORT  ${report.runbook} of ${report.database}: ${report.outcome}`,
    ...steps,
    '',
    'EVIDENCE',
    ...evidence,
    `  ${'audit'.padEnd(wide)}  ${report.auditVerified ? 'verified: nobody edited the record' : 'DOES NOT VERIFY'}`,
    '',
  ].join('\n');
}

function text(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(String).join(', ');
  const entries = Object.entries(value);
  return entries.length === 0 ? 'none' : entries.map(([key, count]) => `${key}: ${String(count)}`).join(', ');
}
