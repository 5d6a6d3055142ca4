import type { Client } from '@temporalio/client';
import { ulid } from 'ulid';
import type { Control, OpenQuestion } from '../../control/contract.ts';
import { runNameOf } from '../../domain/run.ts';
import { until } from '../../sandbox/until.ts';
import { startRun } from '../../temporal/runs.ts';
import { sendDecision } from '../../temporal/send-decision.ts';
import type { Order } from './messages.ts';
import type { Stretch } from './timing.ts';

interface Ways {
  readonly control: Control;
  readonly client: Client;
  readonly taskQueue: string;
}

const withinMs = 600_000;

/** A run that is asked for and started as the API does it; grace agrees as soon as she is asked. From the request to the result. */
export async function byRun({ control, client, taskQueue }: Ways, { runbook, run, input }: Order): Promise<Stretch> {
  const from = Date.now();
  const { database } = runNameOf(run);
  const known = { runbook, version: 1, risk: 'medium', database, input, requester: 'ada', channel: 'http' } as const;
  const { request } = await control.requests.create({ run, ...known, idempotencyKey: ulid(), bodyDigest: 'a'.repeat(64) });
  await startRun(client, request, { taskQueue });
  await control.requests.started(request.id);
  const agreed = new Set<string>();
  for (;;) {
    const question = await until(`${run} asks or ends`, async () => await nextQuestion(control, run, agreed), { withinMs });
    if (question === null) break;
    await agree({ control, client }, question);
    agreed.add(`${question.approval} ${question.opening}`);
  }
  await client.workflow.getHandle(run).result();
  return { from, to: Date.now() };
}

/** One that was not answered yet; null when the run has ended well. */
async function nextQuestion(control: Control, run: string, agreed: ReadonlySet<string>): Promise<OpenQuestion | null | undefined> {
  const { state, outcome, because, failure, questions = [] } = (await control.runs.detail(run)) ?? {};
  if (state === 'closed' && outcome === 'succeeded') return null;
  if (state === 'closed' || state === 'parked') throw new Error(`${run} is ${outcome ?? state}: ${because ?? failure?.message}`);
  return questions.find(({ approval, opening }) => !agreed.has(`${approval} ${opening}`));
}

async function agree({ control, client }: Omit<Ways, 'taskQueue'>, question: OpenQuestion): Promise<void> {
  const { run, approval, opening, digest } = question;
  const said = { run, approval, opening, digest, choice: 'approve', person: 'grace', groups: ['dba'], channel: 'http' } as const;
  const { id } = await control.questions.decide({ id: ulid(), ...said });
  await sendDecision(client, run, { approval, opening, digest, choice: 'approve', decisionId: id });
}
