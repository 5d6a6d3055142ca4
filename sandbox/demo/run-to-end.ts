import { ulid } from 'ulid';
import { acceptedSchema, judgedSchema, planSchema, runDetailSchema } from '../../api/answers.ts';
import { apiClient, type ApiClient } from '../../cli/client.ts';
import { planText } from '../../cli/plan-text.ts';
import { telling } from '../../cli/watch-table.ts';
import type { OpenQuestion, RunDetail } from '../../control/contract.ts';
import { Failure } from '../../domain/failure.ts';
import type { Sandbox } from '../sandbox.ts';

const runWithinMs = 600_000;
/** How far a step is, is told this often. */
const progressEveryMs = 1_000;

/** Who asks. */
const requester = 'ada';

export interface DemoRun {
  readonly sandbox: Sandbox;
  readonly ask: { readonly runbook: string; readonly database: string; readonly input: Readonly<Record<string, unknown>> };
  /** Who agrees to each question: the policy wants these, and not the one who asks. */
  readonly approvers: readonly string[];
  say(text: string): void;
  /** What people look at before they agree. */
  beforeAgreeing?(approval: string, run: RunDetail): Promise<void>;
}

/** Requests the run, shows its plan, answers what it asks and follows it to its end. */
export async function runToEnd(demo: DemoRun): Promise<RunDetail> {
  const { sandbox, ask, say } = demo;
  const ada = clientOf(sandbox, requester);
  const { id } = await ada.post('/v1/runs', ask, acceptedSchema, { 'Idempotency-Key': ulid() });
  say(`${requester} asked for the run ${id}.\n\n`);
  const path = `/v1/runs/${id}`;
  let planShown = false;
  const tell = telling(progressEveryMs);
  const deadline = Date.now() + runWithinMs;
  for (;;) {
    const now = await ada.get(path, runDetailSchema);
    if (!planShown && now.plan !== null) {
      planShown = true;
      say(`${planText(await ada.get(`${path}/plan`, planSchema))}\n`);
    }
    // Questions are answered below, so they are not shown as such.
    for (const line of tell({ ...now, questions: [] }, Date.now())) say(`${line}\n`);
    if (now.state === 'closed') return now;
    if (now.state === 'parked') throw new Failure('conflict', `the run was parked: ${now.failure?.message ?? ''}`, { run: now.run });
    if (Date.now() > deadline) throw new Failure('deadline-passed', 'the run did not end in ten minutes', { run: now.run });
    for (const question of now.questions) {
      if (question.agreements.length === 0) await demo.beforeAgreeing?.(question.approval, now);
      await agree(demo, path, question);
    }
    await pause(200);
  }
}

async function agree({ sandbox, approvers, say }: DemoRun, path: string, question: OpenQuestion): Promise<void> {
  const { approval, opening, digest } = question;
  for (const person of approvers) {
    if (question.agreements.some((one) => one.person === person)) continue;
    const answer = { approval, opening, digest, choice: 'approve' };
    const judged = await clientOf(sandbox, person).post(`${path}/decisions`, answer, judgedSchema);
    say(`${person} approves "${approval}" for digest ${digest.slice(0, 12)}: ${judged.because}\n`);
  }
}

/** The API as a person of the sandbox sees it; default the one who asks. */
export function clientOf(sandbox: Sandbox, person: string = requester): ApiClient {
  const as = sandbox.tokens[person];
  return apiClient({ environment: sandbox.environment }, as === undefined ? {} : { as });
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
