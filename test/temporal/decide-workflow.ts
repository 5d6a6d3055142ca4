import { allHandlersFinished, condition, defineSignal, defineUpdate, setHandler, ApplicationFailure } from '@temporalio/workflow';
import type { Authorisation, DecisionMessage } from '../../domain/decision.ts';

/** Takes decisions by Update and by Signal until one says cancel; its result is every decision's id, in order. */
export async function takesDecisions(): Promise<string[]> {
  const taken: string[] = [];
  let over = false;
  const take = (message: DecisionMessage): Authorisation => {
    taken.push(message.decisionId);
    over ||= message.choice === 'cancel';
    return { counts: message.opening === 1, settled: null, by: { person: 'grace' }, because: `opening ${message.opening}` };
  };
  const takeUpdate = async (message: DecisionMessage): Promise<Authorisation> => {
    if (message.choice === 'abort') throw ApplicationFailure.nonRetryable('it could not be judged', 'internal');
    // A judgement that takes long.
    if (message.choice === 'retry') await condition(() => over);
    return take(message);
  };
  setHandler(defineUpdate<Authorisation, [DecisionMessage]>('decide'), takeUpdate, {
    validator: (message) => {
      if (message.digest === 'f'.repeat(64)) throw ApplicationFailure.nonRetryable('the plan has changed', 'conflict');
    },
  });
  setHandler(defineSignal<[DecisionMessage]>('decided'), (message) => void take(message));
  await condition(() => over);
  await condition(allHandlersFinished);
  return taken;
}
