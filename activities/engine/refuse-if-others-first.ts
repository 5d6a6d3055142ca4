import { Failure } from '../../domain/failure.ts';
import type { EngineDependencies } from './dependencies.ts';

/**
 * Throws `lease-held` when a run that was asked for before this one stands in line for the lease; when this one stands in no line,
 * any that does. Whose time is over or whose workflow has ended is in nobody's way, though its row may still be open. Reads only.
 */
export async function refuseIfOthersFirst(
  { control, holderOpen }: Pick<EngineDependencies, 'control' | 'holderOpen'>,
  database: string,
  run: string,
): Promise<void> {
  for (const waiter of await control.lease.line(database)) {
    if (waiter.run === run) return;
    // One that is only about to be started keeps its place.
    if (waiter.late || (waiter.started && !(await holderOpen(waiter.run)))) continue;
    throw new Failure('lease-held', `the turn of ${waiter.run}, which waits for the lease of ${database}, comes before`, {
      database,
      holder: waiter.run,
    });
  }
}
