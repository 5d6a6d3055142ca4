import { Failure } from '../../domain/failure.ts';
import type { EngineDependencies } from './dependencies.ts';

/**
 * Throws `lease-held` when a run that was asked for before this one comes first. For a run that stands in line that is each one
 * that may still take the lease, be it only after people have agreed; another run is refused for those that stand in line alone.
 * So of two runs it is always the later one that gives way. Whose time is over or whose workflow has ended is in nobody's way,
 * though its row may still be open; nor is anybody in the way of a run that had the lease before. Reads only.
 */
export async function refuseIfOthersFirst(
  { control, holderOpen }: Pick<EngineDependencies, 'control' | 'holderOpen'>,
  database: string,
  run: string,
): Promise<void> {
  const line = await control.lease.line(database);
  const own = line.findIndex((one) => one.run === run);
  for (const other of line.slice(0, Math.max(own, 0))) {
    if (other.late || (!other.queued && line[own]?.queued !== true)) continue;
    // One that is only about to be started keeps its place.
    if (other.started && !(await holderOpen(other.run))) continue;
    const what = other.queued ? `which waits for the lease of ${database}` : `which was asked for earlier and may change ${database}`;
    throw new Failure('lease-held', `the turn of ${other.run}, ${what}, comes before`, { database, holder: other.run });
  }
}
