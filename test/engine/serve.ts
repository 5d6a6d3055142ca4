import type { FastifyInstance } from 'fastify';
import { ulid } from 'ulid';
import { afterEach, expect } from 'vitest';
import { z } from 'zod';
import { buildApp } from '../../api/server.ts';
import type { OpenQuestion } from '../../control/contract.ts';
import type { Choice } from '../../domain/decision.ts';
import { Failure } from '../../domain/failure.ts';
import { temporalRuns } from '../../temporal/runs.ts';
import { rehearsal } from '../support/rehearsal-plan.ts';
import type { EngineTest } from './place.ts';

export interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface Api {
  /** Asks for a rehearsal as this account; the run's name. */
  start(as: string, more?: Record<string, unknown>): Promise<string>;
  /** Answers what the run asks now, or the question given. */
  answer(run: string, as: string, choice: Choice, question?: OpenQuestion): Promise<Answered>;
  /** The same with a token of a service. */
  answerAsService(run: string, as: string, choice: Choice): Promise<Answered>;
  call(as: string, method: 'GET' | 'POST', url: string, body?: Record<string, unknown>): Promise<Answered>;
}

export const idOf = (run: string): string => run.split('/')[2] ?? '';

async function serve(engine: EngineTest, apps: FastifyInstance[]): Promise<Api> {
  const { control, client, taskQueue } = engine;
  const planner = { plan: () => Promise.reject(new Failure('internal', 'nobody plans here')) };
  const tagged = async () => await Promise.resolve({ objects: [], unseen: [] });
  const temporal = temporalRuns(client, { taskQueue });
  const app = await buildApp({
    control,
    temporal,
    inventory: () => engine.inventory,
    catalog: { rehearsal },
    planner,
    provider: () => ({ provider: 'streaming', lacks: [], able: [] }),
    tagged,
    owned: tagged,
  });
  apps.push(app);
  const actor = { kind: 'person', name: 'root', channel: 'host' } as const;
  const send = async (token: string, method: 'GET' | 'POST', url: string, body?: Record<string, unknown>): Promise<Answered> => {
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': ulid() };
    const answer = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
    return { status: answer.statusCode, body: z.record(z.string(), z.unknown()).parse(answer.json()) };
  };
  const tokens = new Map<string, Promise<{ token: string }>>();
  const by = async (person: string, kind: 'person' | 'service' = 'person'): Promise<string> => {
    const made = tokens.get(`${kind} ${person}`) ?? control.tokens.create({ person, kind, actor });
    tokens.set(`${kind} ${person}`, made);
    return (await made).token;
  };
  const decision = async (run: string, choice: Choice, given?: OpenQuestion): Promise<Record<string, unknown>> => {
    const question = given ?? (await engine.detail(run)).questions[0];
    const { approval, opening, digest } = question ?? { approval: 'agree-first', opening: 1, digest: '0'.repeat(64) };
    return { approval, opening, digest, choice, reason: 'because' };
  };
  const path = (run: string): string => `/v1/runs/${idOf(run)}/decisions`;
  return {
    call: async (as, method, url, body) => await send(await by(as), method, url, body),
    start: async (as, more = {}) => {
      const body = { runbook: 'rehearsal', database: 'orders', input: { word: 'hello' }, ...more };
      const answer = await send(await by(as), 'POST', '/v1/runs', body);
      expect(answer).toMatchObject({ status: 202 });
      return String(answer.body['run']);
    },
    answer: async (run, as, choice, question) => await send(await by(as), 'POST', path(run), await decision(run, choice, question)),
    answerAsService: async (run, as, choice) => await send(await by(as, 'service'), 'POST', path(run), await decision(run, choice)),
  };
}

/** The API in front of a test's engine; closed after each test, or when it is stopped. */
export function servePlace(): { begin(engine: EngineTest): Promise<Api>; stop(): Promise<void> } {
  const apps: FastifyInstance[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(apps.splice(0).map(async (app) => await app.close()));
  };
  afterEach(stop);
  return { begin: async (engine) => await serve(engine, apps), stop };
}
