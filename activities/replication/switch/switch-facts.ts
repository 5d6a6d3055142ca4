import { z } from 'zod';
import { Failure } from '../../../domain/failure.ts';

const switchFacts = z.object({
  /** The attempt that decided. */
  attempt: z.number(),
  /** LSN of the end of the marker in the source's WAL: every commit of before the fence is below it. */
  markerLsn: z.string(),
  /** The target's snapshot at the switch, for `SET TRANSACTION SNAPSHOT`, while the session `exporter` lives. */
  snapshot: z.string(),
  /** application_name of the session that keeps the snapshot. */
  exporter: z.string(),
  exporterPid: z.number(),
  /** `pg_current_snapshot()` of the same transaction: tells later which rows were there at the switch. */
  visible: z.string(),
  sequences: z.number(),
  /** Superusers that were locked out of the source's server, and stay so. */
  lockedOut: z.array(z.string()),
  parts: z.array(z.object({ part: z.string(), ms: z.number() })),
  /** When writes were held up first in this attempt, by the worker's clock, in ISO 8601. */
  pausedAt: z.string(),
  fencedAt: z.string(),
  decidedAt: z.string(),
});

/** What is written down together with "forward". */
export type SwitchFacts = z.infer<typeof switchFacts>;

/** Reads them back. Throws `internal` when the row of the control database is not one of ours. */
export function switchFactsOf(facts: Readonly<Record<string, unknown>>): SwitchFacts {
  const parsed = switchFacts.safeParse(facts);
  if (!parsed.success) throw new Failure('internal', `the facts of "no return" cannot be read: ${parsed.error.message}`);
  return parsed.data;
}

/** The application_name of the session that keeps the run's snapshot; at most 63 bytes. */
export function exporterName(tag: string): string {
  return `steadyhand snapshot ${tag}`;
}
