import type { Control, RunRow } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';

/**
 * A run that was closed and then reset, or started once more under its id, does nothing: nobody could see or answer it. Answers with
 * the run's row, null when it has none. Throws `conflict`.
 */
export async function refuseIfClosed(control: Pick<Control, 'runs'>, run: string): Promise<RunRow | null> {
  const row = await control.runs.find(run);
  if (row?.state !== 'closed') return row;
  throw new Failure('conflict', `the run ${run} was closed (${row.outcome ?? 'closed'}): ask for a new one`, { closed: true });
}
