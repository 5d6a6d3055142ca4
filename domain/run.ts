import { Failure } from './failure.ts';

export const runStates = ['requested', 'planning', 'waiting', 'running', 'parked', 'rolling-back', 'closed'] as const;
/** `requested` lasts from the row of the API to the first line of the workflow. */
export type RunState = (typeof runStates)[number];

export const outcomes = ['succeeded', 'refused', 'rolled-back', 'aborted', 'needs-attention'] as const;
export type Outcome = (typeof outcomes)[number];

export type Risk = 'low' | 'medium' | 'high';

/** A run's parts: its workflow id is `<runbook>/<database>/<ULID>`. */
export interface RunName {
  readonly runbook: string;
  readonly database: string;
  /** The ULID: what people type, and (in lower case) the tag on everything that the run makes. */
  readonly id: string;
}

export function workflowIdOf(name: RunName): string {
  return `${name.runbook}/${name.database}/${name.id}`;
}

/** The parts of a workflow id. Throws `input-invalid` on anything else. */
export function runNameOf(workflowId: string): RunName {
  const [runbook, database, id, ...rest] = workflowId.split('/');
  if (!runbook || !database || !id || rest.length > 0 || !/^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)) {
    throw new Failure('input-invalid', `"${workflowId}" is not a run: a run is <runbook>/<database>/<ULID>`);
  }
  return { runbook, database, id };
}

/** What the run's objects on the servers are called: replication slot, publication, subscription. */
export function tagOf(workflowId: string): string {
  return `steadyhand_${runNameOf(workflowId).id.toLowerCase()}`;
}

/** What `tagOf` makes, as a regular expression of PostgreSQL; a suffix may come after it. */
export const taggedName = '^steadyhand_[0-9a-hjkmnp-tv-z]{26}';

/** The id of the run whose objects are called so. */
export function idOfTag(tag: string): string {
  return tag.replace(/^steadyhand_/, '').toUpperCase();
}

/** The argument of every runbook's workflow. */
export interface RunStart {
  /** The id of the request row that the API wrote. */
  readonly request: string;
  /** The input; it must be the one that was requested. */
  readonly input: unknown;
}

/** The result of every runbook's workflow. */
export interface RunResult {
  readonly outcome: Outcome;
  /** Why, when it is not `succeeded`. */
  readonly because?: string;
  /** What an undo could not take back, or an abort left: a line each. */
  readonly left?: readonly string[];
}
