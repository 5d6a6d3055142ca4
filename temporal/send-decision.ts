import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Authorisation, DecisionMessage } from '../domain/decision.ts';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { callWithinMs, temporalFailure, within } from './connect.ts';

/**
 * Sends the run what a person decided and returns the run's judgement. The update's id is the decision's, so sending it twice
 * judges once. When the update brings no judgement (no worker answers in time, too many updates are under way, all updates of the
 * execution are used up) the same message goes as a Signal, which waits in the run's history, and the answer is null: judged later.
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
  const handle = client.workflow.getHandle(run);
  try {
    return await within(client, withinMs, () =>
      handle.executeUpdate<Authorisation, [DecisionMessage]>('decide', { args: [message], updateId: message.decisionId }),
    );
  } catch (error) {
    const refused = refusalIn(error, run);
    if (refused) throw refused;
  }
  await signalDecision(client, run, message, withinMs);
  return null;
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
