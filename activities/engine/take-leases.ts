import type { RunRecord } from '../../control/contract.ts';
import type { AnyRunbook } from '../../domain/runbook.ts';
import type { EngineDependencies } from './dependencies.ts';
import { parseInput } from './parse-input.ts';

/** Other databases that the run's input names, such as the target of a move: it changes these as well. */
export function othersOf(runbook: AnyRunbook, input: unknown): string[] {
  return Object.values(runbook.others?.(parseInput(runbook, input)) ?? {});
}

/** The same of a run by its row; none when it has none. */
export function othersOfRun(catalog: EngineDependencies['catalog'], row: RunRecord | null): string[] {
  const runbook = row && Object.hasOwn(catalog, row.runbook) ? catalog[row.runbook] : undefined;
  return row && runbook ? othersOf(runbook, row.input) : [];
}

type Needed = Pick<EngineDependencies, 'control' | 'catalog' | 'holderOpen'>;

/**
 * Takes the lease of the run's own database, then of each other one that its input names: two runs into one target would mix their
 * rows, and the undo of one drop what the other made. Returns the first one's epoch. A second call takes what is missing. Throws
 * `lease-held` or `lease-orphaned` for the one that others have; what was taken by then is freed when the run closes.
 */
export async function takeLeases(
  { control, catalog, holderOpen }: Needed,
  database: string,
  run: string,
  row: RunRecord | null,
): Promise<{ epoch: number }> {
  const own = await control.lease.take(database, run, holderOpen);
  for (const other of othersOfRun(catalog, row)) await control.lease.take(other, run, holderOpen);
  return own;
}
