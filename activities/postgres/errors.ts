import { Failure, type FailureCode } from '../../domain/failure.ts';
import { redactExcerpt } from '../../domain/redaction.ts';

const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE']);

/** What the server says beside the SQLSTATE. Messages are translated; the name of the function that raised the error is not. */
interface Said {
  readonly routine: string;
  readonly text: string;
}

type Meaning = FailureCode | ((said: Said) => FailureCode);

/** SQLSTATE → our code; what is not listed is `server-error`. Codes: PostgreSQL's appendix A. Some states have several meanings. */
const bySqlState: Readonly<Record<string, Meaning>> = {
  '28000': 'login-refused',
  '28P01': 'login-refused',
  // A login names no database, or a statement does (ALTER DATABASE, GRANT … ON DATABASE).
  '3D000': ({ routine }) => (atLogin.has(routine) ? 'login-refused' : 'server-error'),
  '42501': 'privilege-missing',
  '53300': 'unreachable',
  // The server ended the session: by a restart, a person, or one of the limits of the server for sessions without work.
  '57P01': 'unreachable',
  '57P02': 'unreachable',
  '57P03': 'unreachable',
  '57P05': 'unreachable',
  '25P03': 'unreachable',
  '55P03': 'source-busy',
  '40P01': 'source-busy',
  '40001': 'source-busy',
  '25P04': 'statement-timeout',
  // In a language that we do not read it is taken for the limit: a retry is the milder mistake.
  '57014': ({ text }) => (/user request/i.test(text) ? 'statement-cancelled' : 'statement-timeout'),
  // A slot or a database that others use becomes free; a table that this very session uses does not while the session waits.
  '55006': ({ routine }) => (routine === 'CheckTableNotInUse' ? 'server-error' : 'source-busy'),
};

const atLogin = new Set(['InitPostgres', 'CheckMyDatabase']);

/** Characters of what a server says: it may quote a value of any length. */
const messageLength = 4_000;

/** The driver's error as one of ours, with the server's name, the SQLSTATE and no secret in it. A `Failure` passes through. */
export function postgresFailure(error: unknown, where: string): Failure {
  if (error instanceof Failure) return error;
  const text = redactExcerpt(error instanceof Error ? error.message : String(error), messageLength);
  const code = codeOf(error);
  if (code !== undefined && network.has(code)) {
    return new Failure('unreachable', `${where} cannot be reached: ${text || code}`, { where, code }, error);
  }
  if (/^Connection terminated|timeout expired|Query read timeout|Client has encountered a connection error|Connection ended/i.test(text)) {
    return new Failure('unreachable', `${where}: the connection was lost: ${text}`, { where }, error);
  }
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code)) {
    const kind = meaningOf(code, { routine: routineOf(error), text });
    return new Failure(kind, `${where}: ${text} (SQLSTATE ${code})`, { where, sqlstate: code }, error);
  }
  return new Failure('server-error', `${where}: ${text}`, { where }, error);
}

function meaningOf(sqlState: string, said: Said): FailureCode {
  const meaning = bySqlState[sqlState] ?? (sqlState.startsWith('08') ? 'unreachable' : 'server-error');
  return typeof meaning === 'function' ? meaning(said) : meaning;
}

/**
 * Whether the database itself kept a login out that had the right password: by its connection limit, or by CONNECT, which is
 * missing. A server that is full, and a missing right on anything else, have the same SQLSTATEs.
 */
export function isKeptOut(error: unknown): error is Failure {
  if (!(error instanceof Failure)) return false;
  const state = error.facts['sqlstate'];
  return (state === '53300' || state === '42501') && routineOf(error.cause) === 'CheckMyDatabase';
}

function routineOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'routine' in error && typeof error.routine === 'string' ? error.routine : '';
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return undefined;
}
