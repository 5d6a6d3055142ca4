import {
  ApplicationFailure,
  isCancellation,
  scheduleActivity,
  scheduleLocalActivity,
  workflowInfo,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';
import { engineWork, onTheSpot, type EngineActivities } from '../../activities/engine/contract.ts';
import type { StepCall, Work, WorkOf } from '../../activities/work.ts';
import { isControlAway } from '../../domain/failure.ts';
import { reportOf } from './failure.ts';

/** An activity by its name, typed by its contract, with the kind of work that decides its timeouts. */
export interface Verb<Input, Result> {
  readonly name: string;
  readonly work: Work;
  /** Only for the types. */
  readonly contract?: (input: Input) => Result;
}

type VerbsOf<Activities> = {
  readonly [Name in keyof Activities]: Activities[Name] extends (...input: infer Input) => Promise<infer Result>
    ? Verb<Input extends [infer One] ? One : undefined, Result>
    : never;
};

/** The verbs of a contract: `verbs<PostgresActivities>('postgres', postgresWork).analyze` is the activity `postgres.analyze`. */
export function verbs<Activities>(folder: string, work: WorkOf<Activities>): VerbsOf<Activities> {
  const named = Object.entries<Work>(work).map(([verb, kind]) => [verb, { name: `${folder}.${verb}`, work: kind }]);
  // The keys are those of the contract's own record, so the mapped type fits.
  return Object.fromEntries(named) as VerbsOf<Activities>;
}

export const engine = verbs<EngineActivities>('engine', engineWork);

/**
 * Timeouts and retries by kind of work. The worker heartbeats for every activity at a third of its timeout, so a frozen or dead
 * worker is noticed in one. A change waits for its cancellation to be completed: an undo never starts while the act may run
 * (left unset, it started three seconds before the act had stopped).
 */
const options: Record<Work, ActivityOptions> = {
  // The control database may be away for a while; the run stands still rather than ending. Each may be repeated, also while an
  // attempt before it still runs, so a dead worker costs the heartbeat and not the time that a slow answer may take.
  engine: { startToCloseTimeout: '20s', heartbeatTimeout: '5s', retry: { initialInterval: '200ms', maximumInterval: '5s' } },
  look: { startToCloseTimeout: '5m', heartbeatTimeout: '5s', retry: { initialInterval: '500ms', maximumAttempts: 4 } },
  wait: {
    startToCloseTimeout: '60s',
    heartbeatTimeout: '5s',
    scheduleToCloseTimeout: '7d',
    retry: { initialInterval: '2s', maximumInterval: '30s' },
  },
  // A wait while traffic is held up: minutes, not days.
  held: {
    startToCloseTimeout: '30s',
    heartbeatTimeout: '5s',
    scheduleToCloseTimeout: '30m',
    retry: { initialInterval: '500ms', maximumInterval: '5s' },
  },
  change: {
    startToCloseTimeout: '10m',
    heartbeatTimeout: '3s',
    retry: { initialInterval: '500ms', maximumInterval: '10s', maximumAttempts: 5 },
  },
  long: { startToCloseTimeout: '7d', heartbeatTimeout: '5s', retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 5 } },
  // The shortest: while traffic is held up, a dead worker must be noticed in a second.
  switch: {
    startToCloseTimeout: '2m',
    heartbeatTimeout: '1s',
    retry: { initialInterval: '100ms', backoffCoefficient: 1.5, maximumAttempts: 8 },
  },
};

const here: LocalActivityOptions = {
  scheduleToCloseTimeout: '3s',
  retry: { maximumAttempts: 1 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
};

const namesOnTheSpot: ReadonlySet<string> = new Set(onTheSpot.map((verb) => `engine.${verb}`));

function isOnTheSpot({ name }: { readonly name: string }): boolean {
  return namesOnTheSpot.has(name);
}

/** Work that runs long, and the switch, have task queues with slots of their own, so nothing quick waits behind them. */
function queueOf(base: string, work: Work): string {
  return work === 'long' || work === 'switch' ? `${base}-${work}` : base;
}

/** So often in a row a step that says so is begun again once the control database answers; then it has failed. */
const outages = 10;

/**
 * So often an activity is begun again whose last attempt was lost with its worker, or gave way to one that nobody listens to. A worker
 * that stands still is given all attempts one after the other while a healthy one is idle, and when it wakes up begins with all of
 * them: that says nothing of the step.
 */
const lostWorkers = 3;

/**
 * Calls the activity; in Temporal's history it stands with `summary`. While the control database is away nothing fails for it:
 * the call waits until it answers, which costs one event however long it takes, and is made again.
 */
export async function call<Input, Result>(verb: Verb<Input, Result>, input: Input, step?: StepCall, summary?: string): Promise<Result> {
  let lost = 0;
  for (let outage = 1; ; outage += 1) {
    try {
      return await (isOnTheSpot(verb) ? callHere(verb, input, summary) : callOnce(verb, input, step, summary));
    } catch (error) {
      const { code } = reportOf(error);
      if ((code === 'worker-lost' || code === 'superseded') && lost < lostWorkers) lost += 1;
      else if (outage > outages || !isControlAway(code)) throw error;
      else await callOnce(engine.standBy, undefined, undefined, 'waits for the control database');
    }
  }
}

/** Of this run: the SDK keeps a module's state apart for each workflow. */
let servedOnTheSpot = true;

/** From here on every call is made by the server, so that the run hears messages between two of them. */
export function leaveTheSpot(): void {
  servedOnTheSpot = false;
}

/**
 * Tried once on the spot, as a local activity: that saves two of the server's hops, of up to 50 ms each. Only what it has decided
 * is taken from there; after anything else, and when it takes long, it is called as an ordinary activity, with its timeouts and
 * retries. No message is heard meanwhile, so the try is short; and after one that failed there is none any more: what people have
 * said during a slow one would else wait behind the next, and a change begin before their cancel is heard.
 */
async function callHere<Input, Result>(verb: Verb<Input, Result>, input: Input, summary?: string): Promise<Result> {
  if (!servedOnTheSpot) return await callOnce(verb, input, undefined, summary);
  try {
    return await scheduleLocalActivity<Result>(verb.name, [input, null], { ...here, ...(summary === undefined ? {} : { summary }) });
  } catch (error) {
    // Of a local activity it comes as it was thrown.
    if (isCancellation(error) || (error instanceof ApplicationFailure && error.nonRetryable === true)) throw error;
    leaveTheSpot();
    return await callOnce(verb, input, undefined, summary);
  }
}

async function callOnce<Input, Result>(verb: Verb<Input, Result>, input: Input, step?: StepCall, summary?: string): Promise<Result> {
  return await scheduleActivity<Result>(verb.name, [input, step ?? null], {
    ...options[verb.work],
    taskQueue: queueOf(workflowInfo().taskQueue, verb.work),
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    ...(summary === undefined ? {} : { summary }),
  });
}
