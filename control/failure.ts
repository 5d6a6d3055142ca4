import { Failure, isFailureCode, type FailureCode, type FailureFacts } from '../domain/failure.ts';
import { redactExcerpt } from '../domain/redaction.ts';
import { tlsRefusal, type Trusted } from '../domain/tls-refusal.ts';

/** SQLSTATEs (or classes) that mean something; all others are `internal`. */
const bySqlState: Readonly<Record<string, FailureCode>> = {
  '08': 'control-database-unavailable',
  '25006': 'control-database-unavailable',
  '28': 'control-database-unavailable',
  '3D000': 'control-database-unavailable',
  '40': 'control-database-unavailable',
  '53': 'control-database-unavailable',
  '55P03': 'control-database-unavailable',
  '57': 'control-database-unavailable',
  // query_canceled: by the statement's time limit, or by an administrator.
  '57014': 'query-too-slow',
  '58': 'control-database-unavailable',
  '22021': 'input-invalid',
  '22P05': 'input-invalid',
  '23503': 'not-found',
  '23505': 'conflict',
  '23514': 'input-invalid',
  '3F000': 'configuration-invalid',
  '42501': 'privilege-missing',
  '42883': 'configuration-invalid',
  '42P01': 'configuration-invalid',
};

const advice: Partial<Record<FailureCode, string>> = {
  'configuration-invalid': '; its schema is missing or older than this program: run the migrations as its owner',
};

/** Characters of what a server says: it may quote a value of any length. */
const messageLength = 4_000;

/**
 * A driver's error as one of ours, without secrets. Refusals of our own functions (SQLSTATE SH000) carry their code and facts;
 * everything without an SQLSTATE is about the connection, so the control database is unavailable; with what was trusted the reason
 * of refused TLS is told. A `Failure` passes through.
 */
export function controlFailure(error: unknown, to?: Trusted): Failure {
  if (error instanceof Failure) return error;
  const state = textOf(error, 'code');
  const text = redactExcerpt(messageOf(error), messageLength);
  if (state === 'SH000') {
    const code = textOf(error, 'hint');
    return new Failure(isFailureCode(code) ? code : 'internal', text, factsOf(textOf(error, 'detail')), error);
  }
  if (state === undefined || !/^[0-9A-Z]{5}$/.test(state)) {
    const refusal = to && tlsRefusal(error, to);
    if (refusal) return unavailable(`the TLS of the control database at ${to.host} was refused: ${refusal.why}`, error);
    return unavailable(`the control database does not answer: ${text}`, error);
  }
  const code = bySqlState[state] ?? bySqlState[state.slice(0, 2)] ?? 'internal';
  return new Failure(code, `control database: ${text} (SQLSTATE ${state})${advice[code] ?? ''}`, { sqlstate: state }, error);
}

/** Also when TLS is refused: what waits for the control database waits for its new certificate, too. */
const unavailable = (text: string, error: unknown): Failure => new Failure('control-database-unavailable', text, {}, error);

/** Node reports several tried addresses as one error with an empty message. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}

function textOf(error: unknown, field: string): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, field);
  return typeof value === 'string' ? value : undefined;
}

function factsOf(detail: string | undefined): FailureFacts {
  const facts: unknown = detail === undefined ? {} : JSON.parse(detail);
  return typeof facts === 'object' && facts !== null ? { ...facts } : {};
}
