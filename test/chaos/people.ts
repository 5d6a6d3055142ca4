import { setTimeout as wait } from 'node:timers/promises';
import { ulid } from 'ulid';
import { acceptedSchema, judgedSchema, runDetailSchema } from '../../api/answers.ts';
import { apiClient, type ApiClient } from '../../cli/client.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import type { Choice } from '../../domain/decision.ts';
import type { RunDetail } from '../../control/contract.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Move } from './moves.ts';

export interface Ended {
  readonly stuck: readonly string[];
  /** Ids of the decisions that the API took. */
  readonly accepted: readonly string[];
  /** What the API answered that nothing that was killed explains. */
  readonly wrong: readonly string[];
}

export interface People {
  closed(): number;
  /** Waits until every run is closed, at most so long. */
  done(withinMs: number): Promise<Ended>;
}

/** The API or what it needs is away or busy, or the question was settled meanwhile: look again. */
const expected = new Set<FailureCode>(['unreachable', 'temporal-unavailable', 'control-database-unavailable', 'conflict', 'rate-limited']);

/** A run that has failed so often is taken back instead of tried again. */
const patience = 12;

/**
 * Ada asks for a cutover of every database and answers for failed steps; Grace and Linus agree. All of them ask again when the
 * API is away. The cutovers begin one after the other, over `spreadMs`.
 */
export function answerEverything(sandbox: Sandbox, moves: readonly Move[], spreadMs: number, log: (line: string) => void): People {
  const as = (person: string): ApiClient => apiClient({ environment: sandbox.environment }, { as: sandbox.tokens[person] ?? '' });
  const clients = { ada: as('ada'), grace: as('grace'), linus: as('linus') };
  const accepted: string[] = [];
  const wrong = new Set<string>();
  const open = new Map(moves.map((move) => [move.database, '']));
  let over = false;
  const decide = async (person: keyof typeof clients, { run, questions: [question] }: RunDetail, choice: Choice): Promise<void> => {
    if (!question) return;
    const { approval, opening, digest } = question;
    const answer = { approval, opening, digest, choice, reason: 'the chaos test' };
    accepted.push((await clients[person].post(`/v1/runs/${run.split('/').at(-1)}/decisions`, answer, judgedSchema)).decision);
  };
  const follow = async ({ database }: Move): Promise<void> => {
    const key = { 'Idempotency-Key': ulid() };
    const body = { runbook: 'migration-cutover', database, input: { target: `${database}-18`, schema: 'already-there' } };
    let id: string | undefined;
    let parked = 0;
    while (!over) {
      try {
        id ??= (await clients.ada.post('/v1/runs', body, acceptedSchema, key)).id;
        const run = await clients.ada.get(`/v1/runs/${id}`, runDetailSchema);
        open.set(database, `${run.run}: ${run.state}, ${run.steps.map((step) => `${step.id} ${step.state}`).join(', ')}`);
        if (run.state === 'closed') {
          open.delete(database);
          log(`${database}: ${run.outcome}${run.because ? ` (${run.because})` : ''}; ${open.size} are open`);
          return;
        }
        const [question] = run.questions;
        if (question?.kind === 'approval') {
          const missing = (['grace', 'linus'] as const).filter((one) => question.agreements.every((agreed) => agreed.person !== one));
          for (const person of missing) await decide(person, run, 'approve');
        }
        if (question?.kind === 'parked') {
          parked += 1;
          log(`${database}: ${question.failure?.code}: ${question.failure?.message}`);
          await decide('ada', run, parked > patience && question.choices.includes('roll-back') ? 'roll-back' : 'retry');
        }
      } catch (error) {
        if (!(error instanceof Failure) || !expected.has(error.code)) wrong.add(`${database}: ${String(error)}`);
      }
      // The API takes 20 requests a second from a token.
      await wait(3_000);
    }
  };
  const all = Promise.all(
    moves.map(async (move, at) => {
      await wait((spreadMs * at) / moves.length);
      await follow(move);
    }),
  );
  return {
    closed: () => moves.length - open.size,
    done: async (withinMs) => {
      await Promise.race([all, wait(withinMs, undefined, { ref: false })]);
      over = true;
      return { stuck: [...open].map(([database, last]) => `${database}: ${last}`), accepted, wrong: [...wrong] };
    },
  };
}
