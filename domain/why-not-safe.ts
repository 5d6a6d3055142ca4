import { runNameOf } from './run.ts';
import type { AnyRunbook } from './runbook.ts';

/** What of a run that has ended says whether it can be taken back. */
interface Left {
  readonly run: string;
  readonly database: string;
  readonly input: unknown;
  readonly plan: string | null;
  readonly noReturn: boolean;
  /** The databases whose lease it has still. */
  readonly leases: readonly string[];
  readonly intents: readonly { readonly step: string }[];
}

type Catalog = Readonly<Record<string, AnyRunbook>>;

/** The databases of the inventory that the run was about. */
export function databasesOf(catalog: Catalog, { run, database, input }: Left): string[] {
  return [database, ...Object.values(catalog[runNameOf(run).runbook]?.others?.(input) ?? {})];
}

/**
 * Why what a run left must not be taken back by its undos; undefined when it is safe. They put back what was there before the run:
 * right only while nobody has built on it. `since`: the runs that have begun to change one of its databases after its end.
 */
export function whyNotSafe(catalog: Catalog, left: Left, since: readonly string[]): string | undefined {
  const { run, database, plan, intents, noReturn, leases } = left;
  const runbook = catalog[runNameOf(run).runbook];
  if (!runbook?.takesBack || plan === null) return 'this version knows no undo for this run';
  const acted = intents.some((one) => runbook.steps[one.step]?.pointOfNoReturn === true);
  if (noReturn || acted) return 'it began the step without return: taking steps back could empty the side that serves now';
  if (!leases.includes(database)) return `somebody has released its lease of ${database}: it may be cleared up by hand already`;
  const { undos, goesAlong = [] } = runbook.takesBack;
  const without = intents.find((one) => undos[one.step] === undefined && !goesAlong.includes(one.step));
  if (without) return `its step "${without.step}" has no undo`;
  return since[0] === undefined ? undefined : `the run ${since[0]} has begun to change ${databasesOf(catalog, left).join(' or ')} since`;
}
