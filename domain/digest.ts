import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Facts, Plan } from './plan.ts';

/** The canonical JSON (RFC 8785) of plain data. */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('only JSON values have a canonical form');
  return text;
}

/** SHA-256 of the canonical JSON, as lower-case hex. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

/**
 * What an approval binds to: runbook, version, input, the steps from `step` on (all of them when it is absent) with their
 * commands and undo, the point of no return, and the binding facts. Estimates, limits and observed facts are left out.
 */
export function digestFrom(plan: Pick<Plan, 'runbook' | 'version' | 'database' | 'input' | 'steps'>, facts: Facts, step?: string): string {
  const start = step === undefined ? 0 : plan.steps.findIndex((one) => one.id === step);
  if (start < 0) throw new Error(`the plan has no step ${step}`);
  const steps = plan.steps.slice(start).map((one) => ({
    id: one.id,
    kind: one.kind,
    skippable: one.skippable ?? false,
    pointOfNoReturn: one.pointOfNoReturn ?? false,
    ...(one.applies === false ? { applies: false } : { applies: true, commands: one.commands, undo: one.undo ?? [] }),
  }));
  const { runbook, version, database, input } = plan;
  return digestOf({ runbook, version, database, input, steps, binding: facts.binding });
}
