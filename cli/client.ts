import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Failure, isFailureCode } from '../domain/failure.ts';
import type { World } from './world.ts';

/** The API as the commands use it: every answer is checked against its schema, every problem becomes a `Failure`. */
export interface ApiClient {
  get<Answer>(path: string, answer: z.ZodType<Answer>): Promise<Answer>;
  post<Answer>(path: string, body: unknown, answer: z.ZodType<Answer>, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Calls back whenever the stream of events says something; resolves when it ends or cannot be had. Never throws. */
  listen(path: string, heard: () => void, signal: AbortSignal): Promise<void>;
}

export interface ClientOptions {
  /** Where the API is. */
  readonly api?: string;
  /** A file that holds the bearer token. */
  readonly as?: string;
}

const answerWithinMs = 60_000;
const problemSchema = z.object({
  code: z.string(),
  detail: z.string(),
  problems: z.unknown().optional(),
  facts: z.record(z.string(), z.unknown()).optional(),
  request: z.string().optional(),
});

/** Throws `unauthenticated` at once when there is no token at all. */
export function apiClient(world: Pick<World, 'environment'>, options: ClientOptions): ApiClient {
  const base = options.api ?? (world.environment['STEADYHAND_API_URL'] || 'http://127.0.0.1:8420');
  const token = tokenOf(world.environment, options.as);
  const call = async <Answer>(
    method: string,
    path: string,
    answer: z.ZodType<Answer>,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer> => {
    const response = await send(base, path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        'User-Agent': 'steadyhand-cli/1',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const parsed = answer.safeParse(response);
    if (!parsed.success)
      throw new Failure(
        'internal',
        `the API at ${base} answers ${method} ${path} in a form that this version does not know`,
        {},
        parsed.error,
      );
    return parsed.data;
  };
  return {
    get: (path, answer) => call('GET', path, answer),
    post: (path, body, answer, headers) => call('POST', path, answer, body, headers),
    listen: async (path, heard, signal) => {
      const headers = { Authorization: `Bearer ${token}`, 'User-Agent': 'steadyhand-cli/1', Accept: 'text/event-stream' };
      try {
        const response = await fetch(new URL(path, base), { headers, redirect: 'error', signal });
        if (!response.ok || response.body === null) return await response.body?.cancel();
        for await (const chunk of response.body) if (chunk.length > 0) heard();
      } catch {
        // Whoever listens looks by itself, too, and is told there what is wrong.
      }
    },
  };
}

async function send(base: string, path: string, request: RequestInit): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, base), { ...request, redirect: 'error', signal: AbortSignal.timeout(answerWithinMs) });
    text = await response.text();
  } catch (error) {
    throw new Failure(
      'unreachable',
      `the API at ${base} does not answer (${causeOf(error)}); its address comes from STEADYHAND_API_URL or --api`,
      { api: base },
      error,
    );
  }
  const body = parse(text);
  if (response.ok) return body;
  throw failureOf(base, response.status, body);
}

function parse(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text);
    return body;
  } catch {
    return undefined;
  }
}

function failureOf(base: string, status: number, body: unknown): Failure {
  const problem = problemSchema.safeParse(body);
  if (!problem.success || !isFailureCode(problem.data.code)) {
    return new Failure('unreachable', `what answers at ${base} is not the Steadyhand API (status ${status})`, { api: base, status });
  }
  const { code, detail, problems, facts, request } = problem.data;
  return new Failure(code, detail, {
    ...facts,
    ...(problems === undefined ? {} : { problems }),
    ...(code === 'internal' && request !== undefined ? { request } : {}),
  });
}

function tokenOf(environment: World['environment'], file: string | undefined): string {
  const path = file ?? environment['STEADYHAND_TOKEN_FILE'];
  if (path) return fromFile(path);
  const token = environment['STEADYHAND_TOKEN'];
  if (token) return token;
  throw new Failure('unauthenticated', 'no token was given; set STEADYHAND_TOKEN or STEADYHAND_TOKEN_FILE, or give --as <file>');
}

function fromFile(path: string): string {
  const token = contentOf(path).trim();
  if (token === '') throw new Failure('unauthenticated', `the token's file ${path} is empty`, { file: path });
  // What `token create` says beside it, kept with 2>&1.
  if (/\s/.test(token)) throw new Failure('unauthenticated', `the token's file ${path} holds more than a token`, { file: path });
  return token;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure('unauthenticated', `the token's file ${path} cannot be read (${causeOf(error)})`, { file: path }, error);
  }
}

/** fetch says "fetch failed" and keeps what happened as the cause. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
}
