import type { RunRecord } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';

/**
 * A run that was closed and then reset, or started once more under its id, does nothing: nobody could see or answer it. Returns
 * the row that it was given, null when the run has none. Throws `conflict`.
 */
export function refuseIfClosed<Row extends RunRecord>(row: Row | null): Row | null {
  if (row?.state !== 'closed') return row;
  throw new Failure('conflict', `the run ${row.run} was closed (${row.outcome ?? 'closed'}): ask for a new one`, { closed: true });
}
