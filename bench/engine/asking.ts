import { ulid } from 'ulid';
import type { Control, OpenQuestion } from '../../control/contract.ts';
import { until } from '../../sandbox/until.ts';
import { sendDecision } from '../../temporal/send-decision.ts';
import type { BenchOptions } from '../frame/bench.ts';
import { interleaved } from '../frame/interleaved.ts';
import { nowMs } from './messages.ts';
import type { MeasuredWorker } from './place.ts';

/** How a person's approval gets to the run. */
export type Approve = (run: string, question: OpenQuestion) => Promise<unknown>;

/** Milliseconds from a person's approval to the begin of the next step; and from a bare signal. */
export async function measureAsking(
  control: Control,
  worker: MeasuredWorker,
  turns: Pick<BenchOptions, 'rounds' | 'warmUp'>,
  approve = rowAndMessage(control, worker),
): Promise<Record<'engine' | 'bare', number[]>> {
  return await interleaved({ engine: () => approved(control, worker, approve), bare: () => signalled(worker) }, turns);
}

async function approved(control: Control, worker: MeasuredWorker, approve: Approve): Promise<number> {
  const run = await worker.request('asking');
  const question = await until('the run asks', async () => (await control.runs.detail(run))?.questions[0], { withinMs: 30_000 });
  await stands(worker, run);
  const clicked = nowMs();
  await approve(run, question);
  const { at } = await worker.began(run);
  await worker.client.workflow.getHandle(run).result();
  return at - clicked;
}

/** As the API does it, without the API. */
function rowAndMessage(control: Control, { client }: MeasuredWorker): Approve {
  return async (run, { approval, opening, digest }) => {
    const said = {
      run,
      approval,
      opening,
      digest,
      choice: 'approve',
      person: 'grace',
      groups: ['dba', 'owners'],
      channel: 'http',
    } as const;
    const { id } = await control.questions.decide({ id: ulid(), ...said });
    await sendDecision(client, run, { approval, opening, digest, choice: 'approve', decisionId: id });
  };
}

async function signalled(worker: MeasuredWorker): Promise<number> {
  const { client, taskQueue } = worker;
  const handle = await client.workflow.start('bareAsking', { taskQueue, workflowId: `bare/${ulid()}` });
  await stands(worker, handle.workflowId);
  const clicked = nowMs();
  await handle.signal('goOn');
  const { at } = await worker.began(handle.workflowId);
  await handle.result();
  return at - clicked;
}

/** Nothing is on its way in it: the worker has seen all that happened, and waits. */
async function stands({ client }: MeasuredWorker, run: string): Promise<void> {
  const { namespace } = client.options;
  await until(
    'the workflow waits',
    async () => {
      const seen = await client.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId: run } });
      return seen.pendingWorkflowTask || (seen.pendingActivities?.length ?? 0) > 0 ? undefined : true;
    },
    { withinMs: 30_000 },
  );
}
