import { Failure } from '../domain/failure.ts';
import type { ApiParts } from './parts.ts';

/** Ready all the same: what is wrong beside it, for a person to read. */
export interface Readiness {
  readonly ready: true;
  readonly degraded: readonly { readonly what: 'workers' | 'schema'; readonly because: string }[];
}

/**
 * Whether requests can be served: the control database and Temporal answer, and the schema is not older than the program. Throws
 * what is wrong (`control-database-unavailable`, `temporal-unavailable`, `schema-outdated`). Without workers requests are still
 * taken, and wait; a newer schema is that of an upgrade that is under way.
 */
export async function readinessOf(parts: Pick<ApiParts, 'control' | 'temporal'>): Promise<Readiness> {
  await Promise.all([parts.control.ping(), parts.temporal.health()]);
  const [gap, idle] = await Promise.all([parts.control.schemaGap(), parts.temporal.unpolled()]);
  if (gap.missing.length > 0) {
    const what = `the control database lacks ${gap.missing.join(', ')}, which this program needs`;
    throw new Failure('schema-outdated', what, { missing: gap.missing });
  }
  const queues = idle.map(({ queue, work }) => `${queue} (${work})`).join(', ');
  const newer = gap.unknown.join(', ');
  return {
    ready: true,
    degraded: [
      ...(idle.length === 0 ? [] : [{ what: 'workers' as const, because: `no worker polls ${queues}: what is asked for waits` }]),
      ...(newer === '' ? [] : [{ what: 'schema' as const, because: `the control database is newer than this program: it has ${newer}` }]),
    ],
  };
}
