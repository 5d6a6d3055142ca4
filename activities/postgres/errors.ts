import { Failure, type FailureCode } from '../../domain/failure.ts';
import { redact } from '../../domain/redaction.ts';

const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE']);

/** SQLSTATE (or its class) → our code; what is not listed is `server-error`. Codes: PostgreSQL's appendix A. */
const bySqlState: Record<string, FailureCode> = {
  '28000': 'login-refused',
  '28P01': 'login-refused',
  '3D000': 'login-refused',
  '42501': 'privilege-missing',
  '53300': 'unreachable',
  '57P01': 'unreachable',
  '57P02': 'unreachable',
  '57P03': 'unreachable',
  '55P03': 'source-busy',
  '57014': 'source-busy',
  '40P01': 'source-busy',
  '55006': 'source-busy',
};

/** The driver's error as one of ours, with the server's name, the SQLSTATE and no secret in it. A `Failure` passes through. */
export function postgresFailure(error: unknown, where: string): Failure {
  if (error instanceof Failure) return error;
  const text = redact(error instanceof Error ? error.message : String(error));
  const code = codeOf(error);
  if (code !== undefined && network.has(code)) {
    return new Failure('unreachable', `${where} cannot be reached: ${text || code}`, { where, code }, error);
  }
  if (/^Connection terminated|timeout expired|Query read timeout|Client has encountered a connection error|Connection ended/i.test(text)) {
    return new Failure('unreachable', `${where}: the connection was lost: ${text}`, { where }, error);
  }
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code)) {
    const kind = bySqlState[code] ?? (code.startsWith('08') ? 'unreachable' : 'server-error');
    return new Failure(kind, `${where}: ${text} (SQLSTATE ${code})`, { where, sqlstate: code }, error);
  }
  return new Failure('server-error', `${where}: ${text}`, { where }, error);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return undefined;
}
