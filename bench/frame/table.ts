import type { Target } from './bench.ts';
import type { BenchReport } from './report.ts';

/** The report for people: a line for each result, the ratios, and the targets met or missed. */
export function reportText(report: BenchReport, targets: readonly Target[]): string {
  const { machine } = report;
  const head = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}, Temporal ${machine.temporal}, PostgreSQL ${machine.postgres}; load ${machine.load.join(' → ')}`;
  const rows = report.results.map((one) => [
    one.subject,
    one.metric,
    ...[one.median, one.p95, one.max].map((value) => `${value} ${one.unit}`),
    String(one.n),
  ]);
  const ratios = Object.entries(report.ratios).map(([name, value]) => `${name}: ${value} times`);
  const met = targets.map(
    ({ text, measured, atMost }) => `${measured <= atMost ? 'met   ' : 'MISSED'} ${text}: ${measured}, at most ${atMost}`,
  );
  return [head, '', ...columns([['subject', 'metric', 'median', 'p95', 'max', 'n'], ...rows]), '', ...ratios, '', ...met].join('\n');
}

function columns(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '),
  );
}
