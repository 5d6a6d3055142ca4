import type { PayloadCodec } from '@temporalio/common';
import type { Control } from '../control/contract.ts';
import type { Finding } from '../domain/finding.ts';
import type { Inventory } from '../domain/inventory.ts';
import type { OwnedLook, TaggedLook } from '../domain/leftover.ts';
import type { Plan } from '../domain/plan.ts';
import type { LookAtProvider } from '../domain/require-provider.ts';
import type { AnyRunbook } from '../domain/runbook.ts';
import type { TemporalRuns } from '../temporal/runs.ts';
import type { RateLimit } from './rate-limit.ts';
import type { RefusalLimit } from './refusal-limit.ts';
import type { StreamLimit } from './stream-limit.ts';
import type { Sweepers } from './sweepers.ts';

/** Every runbook by its name. */
export type Catalog = Readonly<Record<string, AnyRunbook>>;

/**
 * Looks at the database, read-only, makes the plan and runs the checks; nothing is stored and nothing is started. Throws `not-found`,
 * `input-invalid`, `unreachable`, `plan-impossible`.
 */
export interface Planner {
  plan(request: {
    runbook: string;
    database: string;
    input: Readonly<Record<string, unknown>>;
  }): Promise<{ plan: Plan; findings: readonly Finding[] }>;
}

/** What stands on a database and bears the name of a run; looks only. What could not be looked at is `unseen`. */
export type LookForTags = (database: string) => Promise<TaggedLook>;

/** What runs have made at a database's provider and is there; looks only. What could not be listed is `unseen`. */
export type LookForOwned = (database: string) => Promise<OwnedLook>;

/** What the API is made of. The inventory is asked for at each request, so one that was read again counts from then on. */
export interface ApiParts {
  readonly control: Control;
  readonly temporal: TemporalRuns;
  readonly inventory: () => Inventory;
  readonly catalog: Catalog;
  readonly planner: Planner;
  readonly provider: LookAtProvider;
  readonly tagged: LookForTags;
  readonly owned: LookForOwned;
  /** How often a token may ask; without it, as often as it likes. */
  readonly limit?: RateLimit;
  /** How many streams of events may be open; without it, any number. */
  readonly streams?: StreamLimit;
  /** How many unknown tokens an address may try; without it, any number. */
  readonly refusals?: RefusalLimit;
  /** When each sweeper succeeded last; without it, none is reported. */
  readonly sweepers?: Sweepers;
  /** Addresses whose X-Forwarded-For is believed; without it, nobody's. */
  readonly proxies?: readonly string[];
  /** Where Temporal's payloads are encrypted; `page` is the origin of Temporal's web page. */
  readonly codec?: { readonly payloads: PayloadCodec; readonly page?: string };
}
