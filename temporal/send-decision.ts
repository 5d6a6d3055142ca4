import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Authorisation, DecisionMessage } from '../domain/decision.ts';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { callWithinMs, temporalFailure, within } from './connect.ts';

/**
 * Updates that this process has under way for one run. Temporal takes 10 per workflow from all processes together. With that many
 * its workflow tasks were lost again and again ("Workflow task not found"), the server rejected updates that the worker had not
 * processed, and 50 answers at once took 10 s and more, most of them until the deadline of the call.
 */
const mostUnderWay = 4;
const underWay = new Map<string, number>();

/**
 * Sends the run what a person decided and returns the run's judgement. The update's id is the decision's, so sending it twice
 * judges once. When many updates are under way, or the update brings no judgement (no worker answers in time, all updates of the
 * execution are used up), the same message goes as a Signal, which waits in the run's history, and the answer is null: judged later.
 *
 * Throws `conflict` only when the run itself has judged: its validator does not take the message. Throws `not-found` when Temporal
 * knows no open workflow of the run: only the run's row says whether it has ended. Throws `temporal-unavailable` for everything
 * else; then nobody has judged the answer, and it has to be sent again.
 */
export async function sendDecision(
  client: Client,
  run: string,
  message: DecisionMessage,
  withinMs = callWithinMs,
): Promise<Authorisation | null> {
  const judgement = (underWay.get(run) ?? 0) < mostUnderWay ? await byUpdate(client, run, message, withinMs) : null;
  if (judgement === null) await signalDecision(client, run, message, withinMs);
  return judgement;
}

/** null when the update brings no judgement. */
async function byUpdate(client: Client, run: string, message: DecisionMessage, withinMs: number): Promise<Authorisation | null> {
  const handle = client.workflow.getHandle(run);
  underWay.set(run, (underWay.get(run) ?? 0) + 1);
  try {
    return await within(client, withinMs, () =>
      handle.executeUpdate<Authorisation, [DecisionMessage]>('decide', { args: [message], updateId: message.decisionId }),
    );
  } catch (error) {
    const refused = refusalIn(error, run);
    if (refused) throw refused;
    return null;
  } finally {
    const left = (underWay.get(run) ?? 1) - 1;
    if (left > 0) underWay.set(run, left);
    else underWay.delete(run);
  }
}

/** Sends the message as a Signal alone: the run has it for good then, and judges it when a worker is there. Throws as above. */
export async function signalDecision(client: Client, run: string, message: DecisionMessage, withinMs = callWithinMs): Promise<void> {
  try {
    await within(client, withinMs, () => client.workflow.getHandle(run).signal<[DecisionMessage]>('decided', message));
  } catch (error) {
    throw notOpen(error, run) ?? temporalFailure(error, { namespace: client.options.namespace });
  }
}

const judged: FailureCode = 'conflict';

/**
 * The validator's own refusal, by its type. An update fails for other reasons as well, none of which is a judgement: its handler
 * failed, or its execution ended (`AcceptedUpdateCompletedWorkflow`) before the answer.
 */
function refusalIn(error: unknown, run: string): Failure | undefined {
  if (!(error instanceof WorkflowUpdateFailedError)) return undefined;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure) || cause.type !== judged) return undefined;
  return new Failure('conflict', `the run does not take this decision: ${cause.message}`, { run, because: cause.message }, error);
}

function notOpen(error: unknown, run: string): Failure | undefined {
  if (!(error instanceof WorkflowNotFoundError)) return undefined;
  return new Failure('not-found', `Temporal has no open workflow of the run ${run}`, { run }, error);
}
