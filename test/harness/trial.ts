import { ulid } from 'ulid';
import { expect } from 'vitest';
import type { OpenQuestion, RunDetail } from '../../control/contract.ts';
import type { Authorisation, Choice } from '../../domain/decision.ts';
import { Failure } from '../../domain/failure.ts';
import { groupsOf } from '../../domain/inventory.ts';
import { startRun } from '../../temporal/runs.ts';
import { sendDecision } from '../../temporal/send-decision.ts';
import { eventually } from '../support/eventually.ts';
import type { Stage, Subject, World } from './stage.ts';

/** One run in a world of its own. */
export interface Trial {
  readonly stage: Stage;
  readonly subject: Subject;
  readonly world: World;
  /** The workflow id that the run has, or will have: faults can be set before it starts. */
  readonly run: string;
  /** The world before the run. */
  readonly before: unknown;
  detail(): Promise<RunDetail>;
  /** Requests and starts it, for the stage's worker or those of another queue. */
  start(taskQueue?: string): Promise<void>;
  /** Agrees to whatever is asked until the run is as wanted; one that parks or closes otherwise fails the test with its reason. */
  until(wanted: (detail: RunDetail) => boolean): Promise<RunDetail>;
  /** Until the run is closed, in Temporal too. */
  closed(): Promise<RunDetail>;
  /** Until the step is parked; its question. */
  parked(step: string): Promise<OpenQuestion>;
  /** As the API does it. A choice for what is asked now, or a cancel. */
  decide(person: string, choice: Choice): Promise<Authorisation | null>;
  /** The operator's answer to the step that is parked; returns when the run has taken it up. */
  answer(choice: Choice): Promise<void>;
  /** The data of the run's events of a kind, in order. */
  events(kind: string): Promise<Readonly<Record<string, unknown>>[]>;
}

// Seconds, on a machine that does nothing else.
const closesWithinMs = 180_000;
const lookEveryMs = 50;

export async function begin(subject: Subject, stage: Stage, withinMs = closesWithinMs): Promise<Trial> {
  const world = await stage.world();
  const run = `${subject.runbook.name}/${world.database}/${ulid()}`;
  const { control, client } = stage;
  const detail = async (): Promise<RunDetail> => {
    const found = await control.runs.detail(run);
    if (!found) throw new Error(`there is no run ${run}`);
    return found;
  };
  const decide: Trial['decide'] = async (person, choice) => {
    const question = choice === 'cancel' ? undefined : (await detail()).questions[0];
    const { approval, opening, digest } = question ?? { approval: 'run', opening: 0, digest: '' };
    const groups = groupsOf(stage.inventory(), world.database, person);
    const decisionId = ulid();
    const row = { id: decisionId, run, approval, opening, digest, choice, person, groups, channel: 'http', reason: 'a test' };
    await control.questions.decide(row);
    return await sendDecision(client, run, { approval, opening, digest, choice, decisionId });
  };
  const agree = async ({ agreements }: OpenQuestion): Promise<void> => {
    const missing = subject.people.agree.filter((person) => !agreements.some((one) => one.person === person));
    for (const person of missing) {
      await decide(person, 'approve').catch(refused);
    }
  };
  const until: Trial['until'] = async (wanted) => {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const now = await detail();
      if (wanted(now)) return now;
      const [question] = now.questions;
      if (now.state === 'closed' || question?.kind === 'parked' || performance.now() > deadline) throw unwanted(now);
      if (question) await agree(question);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  };
  return {
    ...{ stage, subject, world, run, detail, decide, until },
    before: await world.snapshot(),
    start: async (taskQueue = stage.taskQueue) => {
      const { name: runbook, version, risk } = subject.runbook;
      const asked = { run, runbook, version, risk, database: world.database, input: world.input, requester: subject.people.asks };
      const row = { ...asked, channel: 'http', idempotencyKey: ulid(), bodyDigest: 'a'.repeat(64) };
      const { request } = await control.requests.create(row);
      await startRun(client, request, { taskQueue });
      await control.requests.started(request.id);
    },
    closed: async () => {
      await until((now) => now.state === 'closed');
      // The row is closed by the run's last activity; a run that needs attention ends as failed.
      await client.workflow
        .getHandle(run)
        .result()
        .catch(() => undefined);
      expect(stage.faults.waiting(run), 'faults that never struck').toEqual([]);
      return await detail();
    },
    parked: async (step) => {
      const { questions } = await until((now) => now.questions.some((one) => one.kind === 'parked' && one.approval === step));
      const [question] = questions;
      if (!question) throw new Error(`${step} is not parked`);
      return question;
    },
    answer: async (choice) => {
      const question = (await detail()).questions[0];
      await eventually(async () => ((await decide(subject.people.operates, choice).catch(refused))?.counts === true ? true : undefined));
      await eventually(async () => {
        const open = (await detail()).questions.some((one) => one.approval === question?.approval && one.opening === question.opening);
        return open ? undefined : true;
      });
    },
    events: async (kind) => (await control.events.list({ run, limit: 2_000 })).filter((one) => one.kind === kind).map((one) => one.data),
  };
}

/** Of a run that was reset a question stands open before the run is there and can take the answer. */
function refused(error: unknown): null {
  if (error instanceof Failure && error.code === 'conflict') return null;
  throw error;
}

function unwanted(now: RunDetail): Error {
  const steps = now.steps.map((one) => `${one.id} ${one.state}`).join(', ');
  const why = now.because ?? now.failure?.message ?? '';
  return new Error(`the run is ${now.state} ${now.outcome ?? ''}: ${why} (${steps}) ${now.left.join('; ')}`);
}
