import { Failure } from './failure.ts';
import type { AnyRunbook } from './runbook.ts';

/** Who runs a database, and which of some groups of operations that provider does not have. */
export interface ProviderLook {
  readonly provider: string;
  readonly lacks: readonly string[];
  /** The providers that have them all. */
  readonly able: readonly string[];
}

export type LookAtProvider = (database: string, groups: readonly string[]) => ProviderLook;

/**
 * Throws `plan-impossible` when the database's provider lacks an operation that the runbook needs for this input. No server is asked,
 * so a request is rejected before its run exists.
 */
export function requireProvider(runbook: AnyRunbook, database: string, input: unknown, look: LookAtProvider): void {
  const needs = runbook.needs?.(input) ?? [];
  const { provider, lacks, able } = look(database, needs);
  if (lacks.length === 0) return;
  const others = able.length === 0 ? 'no provider has it' : `of the providers, ${able.join(' and ')} can`;
  throw new Failure(
    'plan-impossible',
    `${runbook.name} needs ${lacks.join(', ')}; ${database} is run by the provider ${provider}, which has no ${lacks.join(', no ')}; ${others}`,
    { database, provider, lacks },
  );
}
