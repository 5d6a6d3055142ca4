import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { failureKinds } from '../domain/failure-kinds.ts';
import { listedProblems } from '../domain/listed-problems.ts';
import { redactExcerpt } from '../domain/redaction.ts';

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

/** Characters of an answer's message, of a fact, and of the message of a refusal that the framework wrote. */
const limits = { detail: 8_000, fact: 2_000, refusal: 300 };

const contentType = 'application/problem+json';
const retryAfterSeconds = 5;

/** The problems that a route can answer with, for its entry in the OpenAPI document. */
export function problemAnswers<Status extends number>(...statuses: Status[]): Record<Status, typeof problemAnswer> {
  // `fromEntries` forgets the keys' type.
  return Object.fromEntries(statuses.map((status) => [status, problemAnswer])) as Record<Status, typeof problemAnswer>;
}

const problemAnswer = { description: 'A problem', content: { [contentType]: { schema: problemSchema } } };

/** A failure as a problem; texts are cut and redacted, and the facts of an internal failure stay in the log. */
function problemOf(failure: Failure, request?: string): Problem {
  const { problems, ...facts } = safe(failure.facts);
  const list = problemList.safeParse(problems);
  const shown = failure.code === 'internal' ? {} : facts;
  const { status, meaning } = failureKinds[failure.code];
  return {
    type: `/problems/${failure.code}`,
    title: meaning,
    status,
    detail: redactExcerpt(failure.message, limits.detail),
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
    if (typeof value === 'string') return redactExcerpt(value, limits.fact);
    return typeof value === 'bigint' ? value.toString() : value;
  });
  // What JSON.stringify makes of an object is an object again.
  return JSON.parse(text) as Record<string, unknown>;
}

/** Answers any error as problem+json. What is not a `Failure` is logged whole and told as `internal`, without its text. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = failureOf(error);
  const { status } = failureKinds[failure.code];
  if (failure.code === 'internal') request.log.error({ err: error }, 'a request failed');
  if (failure.code === 'unauthenticated') void reply.header('WWW-Authenticate', 'Bearer realm="steadyhand"');
  const retryAfter = retryAfterOf(failure, status);
  if (retryAfter !== undefined) void reply.header('Retry-After', retryAfter);
  return reply.code(status).type(contentType).send(problemOf(failure, request.id));
}

function retryAfterOf({ facts }: Failure, status: number): number | undefined {
  if (typeof facts['retryAfterSeconds'] === 'number') return facts['retryAfterSeconds'];
  return status === 503 ? retryAfterSeconds : undefined;
}

/** What cannot be read as HTTP at all (Node's own `clientError`), as the bytes of an answer. */
export function unreadableAnswer(code: string): string {
  const what = code === 'HPE_HEADER_OVERFLOW' ? 'the headers of the request are too large' : 'the request is not HTTP/1.1';
  const body = JSON.stringify(problemOf(new Failure('body-invalid', what)));
  const head = [
    'HTTP/1.1 400 Bad Request',
    `Content-Type: ${contentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return validationFailure(error.validation, error.validationContext);
  const code = codeOfStatus((error as Partial<FastifyError> | null)?.statusCode);
  if (code !== undefined && error instanceof Error) return new Failure(code, redactExcerpt(error.message, limits.refusal), {}, error);
  return new Failure('internal', 'an unexpected error; the log of the API has it under the id of this request', {}, error);
}

/** Fastify's own refusals (malformed JSON, too large, wrong content type) carry a 4xx status. */
function codeOfStatus(status: number | undefined): FailureCode | undefined {
  if (status === undefined || status < 400 || status >= 500) return undefined;
  if (status === 404) return 'not-found';
  if (status === 413) return 'body-too-large';
  return status === 415 ? 'media-type-unsupported' : 'body-invalid';
}

function validationFailure(
  issues: readonly { instancePath: string; message?: string | undefined }[],
  context: string | undefined,
): Failure {
  const where = context ?? 'body';
  const problems = issues.map(({ instancePath, message = 'is not right' }) => ({
    path: [where, ...instancePath.split('/').filter((part) => part !== '')],
    message,
  }));
  return listed('body-invalid', `the ${where} of the request`, problems);
}

/** The first problems of an input in one failure. */
export function inputFailure(of: string, error: z.ZodError): Failure {
  const problems = error.issues.map(({ path, message }) => ({ path: ['input', ...path], message }));
  return listed('input-invalid', of, problems);
}

function listed(code: FailureCode, of: string, issues: Parameters<typeof listedProblems>[0]): Failure {
  const { problems, text } = listedProblems(issues, '');
  const count = issues.length === 1 ? '1 problem' : `${issues.length} problems`;
  return new Failure(code, `${count} in ${of}: ${text}`, { problems });
}
