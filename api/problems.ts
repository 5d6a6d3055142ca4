import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { failureKinds } from '../domain/failure-kinds.ts';
import { redact } from '../domain/redaction.ts';

/** An error as HTTP tells it (RFC 9457). `code`, `hint`, `problems`, `facts` and `request` are Steadyhand's own members. */
export const problemSchema = z
  .object({
    type: z.string().describe('`/problems/<code>`: what this kind of problem means'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong here, and where'),
    code: z.string(),
    hint: z.string().describe('What to do now'),
    retryable: z.boolean(),
    problems: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('Every field that is wrong'),
    facts: z.record(z.string(), z.unknown()).optional(),
    request: z.string().optional().describe('Id of this request in the log of the API'),
  })
  .describe('An error: what, where, what to do now');

export type Problem = z.infer<typeof problemSchema>;

const contentType = 'application/problem+json';
const retryAfterSeconds = 5;

/** The problems that a route can answer with, for its entry in the OpenAPI document. */
export function problemAnswers<Status extends number>(...statuses: Status[]): Record<Status, typeof problemAnswer> {
  // `fromEntries` forgets the keys' type.
  return Object.fromEntries(statuses.map((status) => [status, problemAnswer])) as Record<Status, typeof problemAnswer>;
}

const problemAnswer = { description: 'A problem', content: { [contentType]: { schema: problemSchema } } };

/** A failure as a problem; texts pass redaction, and the facts of an internal failure stay in the log. */
function problemOf(failure: Failure, request?: string, status: number = failureKinds[failure.code].status): Problem {
  const { problems, ...facts } = safe(failure.facts);
  const list = problemList.safeParse(problems);
  const shown = failure.code === 'internal' ? {} : facts;
  return {
    type: `/problems/${failure.code}`,
    title: failureKinds[failure.code].meaning,
    status,
    detail: redact(failure.message),
    code: failure.code,
    hint: failure.hint,
    retryable: failure.retryable,
    ...(list.success ? { problems: list.data } : {}),
    ...(Object.keys(shown).length > 0 ? { facts: shown } : {}),
    ...(request === undefined ? {} : { request }),
  };
}

const problemList = z.array(z.object({ path: z.string(), message: z.string() }));

function safe(facts: Record<string, unknown>): Record<string, unknown> {
  const text = JSON.stringify(facts, (_, value: unknown) => {
    if (typeof value === 'string') return redact(value);
    return typeof value === 'bigint' ? value.toString() : value;
  });
  // What JSON.stringify makes of an object is an object again.
  return JSON.parse(text) as Record<string, unknown>;
}

/** Answers any error as problem+json. What is not a `Failure` is logged whole and told as `internal`, without its text. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { failure, status } = told(error);
  if (failure.code === 'internal') request.log.error({ err: error }, 'a request failed');
  if (failure.code === 'unauthenticated') void reply.header('WWW-Authenticate', 'Bearer realm="steadyhand"');
  if (status === 503) void reply.header('Retry-After', retryAfterSeconds);
  return reply
    .code(status)
    .type(contentType)
    .send(problemOf(failure, request.id, status));
}

function told(error: unknown): { failure: Failure; status: number } {
  if (error instanceof Failure) return { failure: error, status: failureKinds[error.code].status };
  if (hasZodFastifySchemaValidationErrors(error)) {
    return { failure: validationFailure(error.validation, error.validationContext), status: 400 };
  }
  const status = clientErrorStatus(error);
  if (status !== undefined && error instanceof Error) {
    const code: FailureCode = status === 404 ? 'not-found' : 'body-invalid';
    return { failure: new Failure(code, error.message, {}, error), status };
  }
  return {
    failure: new Failure('internal', 'an unexpected error; the log of the API has it under the id of this request', {}, error),
    status: 500,
  };
}

/** Fastify's own refusals (malformed JSON, too large, wrong content type) carry a 4xx status. */
function clientErrorStatus(error: unknown): number | undefined {
  const status = (error as Partial<FastifyError> | null)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function validationFailure(
  issues: readonly { instancePath: string; message?: string | undefined }[],
  context: string | undefined,
): Failure {
  const where = context ?? 'body';
  const problems = issues.map((issue) => ({
    path: [where, ...issue.instancePath.split('/').filter((part) => part !== '')].join('.'),
    message: issue.message ?? 'is not right',
  }));
  return listed('body-invalid', `the ${where} of the request`, problems);
}

/** All problems of an input in one failure. */
export function inputFailure(of: string, error: z.ZodError): Failure {
  return listed(
    'input-invalid',
    of,
    error.issues.map((issue) => ({ path: ['input', ...issue.path.map(String)].join('.'), message: issue.message })),
  );
}

function listed(code: FailureCode, of: string, problems: readonly { path: string; message: string }[]): Failure {
  const text = problems.map((one) => `${one.path}: ${one.message}`).join('; ');
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new Failure(code, `${count} in ${of}: ${text}`, { problems });
}
