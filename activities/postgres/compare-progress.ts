import type { Attempt } from '../attempt.ts';
import type { MigrationFacts } from '../replication/facts.ts';
import type { TableResult } from './compare-table.ts';

export interface CompareProgress {
  estimatedRows(table: string): number;
  /** A table that is under way: rows so far. */
  rows(table: string, rows: number): void;
  table(result: TableResult): void;
}

/** Shows tables, rows, rate and time left after each piece; the total is the server's estimate. */
export function compareProgress(facts: MigrationFacts, before: readonly TableResult[], attempt: Attempt): CompareProgress {
  const estimates = new Map(facts.observed.tables.map((one) => [`${one.schema}.${one.name}`, one.rows]));
  const seen = new Map(before.map((one) => [one.table, one.rows]));
  const finished = new Set(seen.keys());
  const total = Math.max(
    1,
    [...estimates.values()].reduce((sum, rows) => sum + rows, 0),
  );
  const atStart = [...seen.values()].reduce((sum, rows) => sum + rows, 0);
  const began = performance.now();
  const show = (): void => {
    const rows = [...seen.values()].reduce((sum, one) => sum + one, 0);
    const seconds = (performance.now() - began) / 1_000;
    const rate = seconds > 0 ? (rows - atStart) / seconds : 0;
    const fraction = Math.min(1, rows / total);
    const secondsLeft = rate > 0 ? Math.max(0, (total - rows) / rate) : undefined;
    attempt.progress({
      summary: `${finished.size} of ${estimates.size} tables, ${rows} of about ${total} rows, ${Math.round(rate)} rows/s`,
      fraction,
      ...(secondsLeft === undefined ? {} : { secondsLeft: Math.round(secondsLeft) }),
    });
  };
  return {
    estimatedRows: (table) => estimates.get(table) ?? 0,
    rows: (table, rows) => {
      seen.set(table, rows);
      show();
    },
    table: (result) => {
      seen.set(result.table, result.rows);
      finished.add(result.table);
      show();
    },
  };
}
