import { Failure } from '../../../domain/failure.ts';
import { uncarryConfiguration } from './carry-configuration.ts';
import { dropSnapshots, restoreService } from './restore-service.ts';
import type { Sessions } from './sessions.ts';
import { isSuperseded, superseded } from './superseded.ts';
import type { Switch } from './under-way.ts';

/** Failures that tell a person more than `switch-abandoned` would. */
const saysItself = new Set<string>(['objects-differ', 'conflict', 'drift', 'privilege-missing', 'identity-changed', 'lease-lost']);

export interface Abandoned {
  /** Whether this attempt had begun to hold up traffic; an earlier one may have. */
  readonly begun: boolean;
  /** Whom the fence locked out by name. */
  readonly superusers: readonly string[];
  readonly sessions: Sessions | undefined;
  readonly error: unknown;
}

/**
 * Service first; then the failure that says what happened is returned. A superseded attempt touches nothing: the newer one holds
 * traffic.
 */
export async function abandon(one: Switch, { begun, superusers, sessions, error }: Abandoned): Promise<unknown> {
  const { attempt, budget, migration } = one;
  if (!begun && attempt.number === 1) return error;
  if (await isSuperseded(attempt)) return superseded(attempt, error);
  await restoreService({ ...one, facts: one.planned, superusers });
  const heldMs = budget.spent();
  if (sessions) {
    await dropSnapshots(attempt, sessions.target.change).catch(() => undefined);
    // What does not work here the undo does, and the next attempt replaces it.
    await uncarryConfiguration(sessions.target.change, migration, one.planned).catch(() => undefined);
  }
  if (attempt.signal.aborted) return attempt.signal.reason;
  if (!begun || (error instanceof Failure && saysItself.has(error.code))) return error;
  const why = error instanceof Error ? error.message : String(error);
  const part = budget.parts.at(-1)?.part ?? 'begin';
  return new Failure(
    'switch-abandoned',
    `${migration.source} serves again on the old side after ${heldMs} ms; the switch failed at "${part}": ${why}`,
    { part, heldMs, parts: budget.parts, ...(error instanceof Failure ? { because: error.code } : {}) },
    error,
  );
}
