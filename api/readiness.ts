import type { Delayed } from '../control/contract.ts';
import { Failure } from '../domain/failure.ts';
import type { ApiParts } from './parts.ts';
import { stoppedSweepers } from './sweepers.ts';

/** Ready all the same: what is wrong beside it, for a person to read. */
export interface Readiness {
  readonly ready: true;
  readonly degraded: readonly { readonly what: 'workers' | 'schema' | 'runs' | 'sweepers'; readonly because: string }[];
}

/** A start takes milliseconds; the sweeper tries again every two seconds. */
const delayedAfterMs = 10_000;

/**
 * Whether requests can be served: control database and Temporal answer, the schema is not older than the program, and the namespace
 * has the search attributes. Throws
 * what is wrong (`control-database-unavailable`, `temporal-unavailable`, `search-attributes-missing`, `schema-outdated`). Without workers requests are still
 * taken, and wait; a newer schema is that of an upgrade that is under way.
 */
export async function readinessOf(parts: Pick<ApiParts, 'control' | 'temporal' | 'sweepers'>): Promise<Readiness> {
  await Promise.all([parts.control.ping(), parts.temporal.ready()]);
  const { control, temporal } = parts;
  const [gap, idle, delayed] = await Promise.all([control.schemaGap(), temporal.unpolled(), control.requests.delayed(delayedAfterMs)]);
  if (gap.missing.length > 0) {
    const what = `the control database lacks ${gap.missing.join(', ')}, which this program needs`;
    throw new Failure('schema-outdated', what, { missing: gap.missing });
  }
  const queues = idle.map(({ queue, work }) => `${queue} (${work})`).join(', ');
  const stopped = parts.sweepers ? stoppedSweepers(parts.sweepers) : [];
  const newer = gap.unknown.join(', ');
  return {
    ready: true,
    degraded: [
      ...(idle.length === 0 ? [] : [{ what: 'workers' as const, because: `no worker polls ${queues}: what is asked for waits` }]),
      ...(newer === '' ? [] : [{ what: 'schema' as const, because: `the control database is newer than this program: it has ${newer}` }]),
      ...(delayed === null ? [] : [{ what: 'runs' as const, because: delayedText(delayed) }]),
      ...stopped.map((because) => ({ what: 'sweepers' as const, because })),
    ],
  };
}

function delayedText({ count, since, because }: Delayed): string {
  const runs = count === 1 ? '1 run is' : `${count} runs are`;
  return `${runs} requested and not started, the oldest since ${since}${because === null ? '' : `: ${because}`}`;
}
