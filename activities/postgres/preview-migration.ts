import type { Moves } from '../../control/contract.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Facts, Plan } from '../../domain/plan.ts';
import type { Migration } from '../replication/contract.ts';
import type { MigrationFacts } from '../replication/facts.ts';
import { findings } from './preflight.ts';
import type { Tools } from './run-tool.ts';
import type { Servers } from './session.ts';

export interface PreviewedMigration {
  readonly servers: Servers;
  readonly tools: Tools;
  /** The run's subject, as its steps receive it. */
  subject(plan: Plan): Migration;
  /** Absent with `plan --offline`. */
  readonly control?: { readonly moves: Moves; systemIdentifier(): Promise<string> };
}

/** Checks take seconds; a client of the API waits for a minute. */
const withinMs = 45_000;

/** The checks of the preflight, before there is a run. The programs of the schema's copy are the worker's, so here they only inform. */
export function previewMigration({ servers, tools, subject, control }: PreviewedMigration) {
  return async (plan: Plan, facts: Facts): Promise<Finding[]> => {
    // The planner has taken them for this very runbook.
    const taken = facts as unknown as MigrationFacts;
    const found = await findings(
      { servers, migration: subject(plan), facts: taken },
      {
        tools,
        tag: '',
        copying: false,
        controlSystem: (await control?.systemIdentifier()) ?? '',
        move: (await control?.moves.from(taken.binding.source)) ?? null,
      },
      { signal: AbortSignal.timeout(withinMs), progress: () => undefined },
    );
    return found.map((one) =>
      one.check === 'tool-missing' ? { ...one, level: 'informs', evidence: `here, not on the worker: ${one.evidence}` } : one,
    );
  };
}
