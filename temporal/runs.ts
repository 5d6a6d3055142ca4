import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import type { Request } from '../control/contract.ts';
import type { Authorisation, DecisionMessage } from '../domain/decision.ts';
import { Failure } from '../domain/failure.ts';
import type { ClearUp } from '../domain/leftover.ts';
import type { RunStart } from '../domain/run.ts';
import { callWithinMs, temporalFailure, within } from './connect.ts';
import { remembered } from './remembered.ts';
import { runningWorkflows } from './running.ts';
import { runSearchAttributes, searchAttributeCheck } from './search-attributes.ts';
import { sendDecision, signalDecision } from './send-decision.ts';
import { unpolledQueues, type Unpolled } from './unpolled.ts';

/** What the API does with Temporal. Every method throws `temporal-unavailable` when the server does not answer in time. */
export interface TemporalRuns {
  /** Asks the server whether it is there, within 2 s. */
  health(): Promise<void>;
  /**
   * Whether a run can be started: the server answered within the last second, or answers now, and the namespace has our search
   * attributes, else `search-attributes-missing`.
   */
  ready(): Promise<void>;
  start(request: Request): Promise<void>;
  /** Sends a person's answer and returns the run's judgement; null: judged later. `send-decision.ts` has the contract. */
  decide(run: string, message: DecisionMessage): Promise<Authorisation | null>;
  /** Sends an answer once more, which the run judges when it gets to it. Throws as `decide` does. */
  decideLater(run: string, message: DecisionMessage): Promise<void>;
  look(run: string): Promise<RunLook>;
  /** The ids of the workflows that run, each with its execution, as the server's list has them: it may lag behind `look`. */
  running(): Promise<ReadonlyMap<string, string>>;
  /** What no worker asks for work: the task queues, and `workflows` for the engine itself. A worker that died is seen after 75 s. */
  unpolled(): Promise<Unpolled[]>;
  /** Takes back what a run has left that has ended. Throws `conflict` when a workflow of its name is at work. */
  clearUp(run: string, clearUp: ClearUp): Promise<void>;
}

/** A server that answered is not asked again for so long, unless a start fails. Under load that saves each request a call. */
const answersForMs = 1_000;

export interface StartOptions {
  readonly taskQueue: string;
}

export type { Unpolled } from './unpolled.ts';

/** What Temporal knows of a run's workflow: `unknown` is one that it never had, or has forgotten. */
export type RunStatus = 'open' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed-out' | 'unknown';

export function temporalRuns(client: Client, options: StartOptions): TemporalRuns {
  const attributes = searchAttributeCheck(client);
  const reachable = remembered(
    () => health(client),
    (error) => (error === undefined ? answersForMs : 0),
  );
  return {
    health: () => health(client),
    ready: async () => {
      await Promise.all([reachable.require(), attributes.require()]);
    },
    start: async (request) => {
      try {
        await startRun(client, request, options);
      } catch (error) {
        attributes.forget();
        reachable.forget();
        throw error;
      }
    },
    decide: (run, message) => sendDecision(client, run, message),
    decideLater: (run, message) => signalDecision(client, run, message),
    look: (run) => lookAt(client, run),
    running: () => runningWorkflows(client, options.taskQueue),
    unpolled: () => unpolledQueues(client, options.taskQueue),
    clearUp: (run, asked) => startClearUp(client, run, asked, options),
  };
}

export interface RunLook {
  readonly status: RunStatus;
  /** The id of its latest execution when a reset has begun that; null as a rule. */
  readonly resetTo: string | null;
}

/** `migration-cutover` → `migrationCutover`: the name that the workflow's function has. */
export function workflowTypeOf(runbook: string): string {
  return runbook.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Starts the run's workflow. Calling it again is harmless: a workflow of this id that runs is left alone, and one that has
 * closed is never started anew.
 */
export async function startRun(client: Client, request: Request, options: StartOptions): Promise<void> {
  const start: RunStart = { request: request.id, input: request.input };
  const keys = runSearchAttributes;
  const attributes: SearchAttributePair[] = [
    { key: keys.name, value: request.runbook },
    { key: keys.database, value: request.database },
    { key: keys.state, value: 'requested' },
    { key: keys.requester, value: request.requester },
    ...(request.ticket === null ? [] : [{ key: keys.ticket, value: request.ticket }]),
  ];
  try {
    await within(client, callWithinMs, () =>
      client.workflow.start(workflowTypeOf(request.runbook), {
        workflowId: request.run,
        taskQueue: options.taskQueue,
        args: [start],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `${request.runbook} of ${request.database}`,
        staticDetails: `Requested by ${request.requester} by ${request.channel}${request.ticket === null ? '' : `, ticket ${request.ticket}`}.`,
        memo: { request: request.id, requester: request.requester, channel: request.channel, ticket: request.ticket },
        typedSearchAttributes: attributes,
      }),
    );
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return;
    throw temporalFailure(error, { namespace: client.options.namespace });
  }
}

/** Under the run's own id, which has ended before: so no other run can have its lease meanwhile. */
async function startClearUp(client: Client, run: string, clearUp: ClearUp, { taskQueue }: StartOptions): Promise<void> {
  try {
    await within(client, callWithinMs, () =>
      client.workflow.start('clearUp', {
        workflowId: run,
        taskQueue,
        args: [clearUp],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: 'takes back what the run has left',
      }),
    );
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      throw new Failure('conflict', `a workflow of ${run} is at work now: the run itself, or what clears up after it`, { run }, error);
    }
    throw temporalFailure(error, { namespace: client.options.namespace });
  }
}

/** Whether the run's workflow still runs; one that Temporal does not know does not. */
export async function isOpen(client: Client, run: string): Promise<boolean> {
  return (await lookAt(client, run)).status === 'open';
}

/** What Temporal knows of the run's workflow, its latest execution. One that is continued as new has not been reset. */
export async function lookAt(client: Client, run: string): Promise<RunLook> {
  try {
    const { status, runId, raw } = await within(client, callWithinMs, () => client.workflow.getHandle(run).describe());
    const wasReset = Boolean(raw.workflowExtendedInfo?.lastResetTime);
    return { status: statuses[status.name] ?? 'open', resetTo: wasReset ? runId : null };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { status: 'unknown', resetTo: null };
    throw temporalFailure(error, { namespace: client.options.namespace });
  }
}

/** Every name that is not here is one of a workflow that goes on. */
const statuses: Readonly<Record<string, RunStatus>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
};

async function health(client: Client): Promise<void> {
  const { namespace } = client.options;
  try {
    await within(client, 2_000, () => client.workflowService.describeNamespace({ namespace }));
  } catch (error) {
    throw temporalFailure(error, { namespace });
  }
}
