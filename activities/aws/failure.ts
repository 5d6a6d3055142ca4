import { Failure, type FailureCode } from '../../domain/failure.ts';
import { redactExcerpt } from '../../domain/redaction.ts';

/** Where a call went: its permission's name, the region, and what it was about. */
export interface CallSite {
  readonly action: string;
  readonly region: string;
  readonly subject?: string;
}

interface AwsError {
  readonly code: string;
  readonly status: number | undefined;
  readonly message: string;
}

const expired = new Set(['ExpiredToken', 'RequestExpired', 'ExpiredTokenException']);

/** AWS's codes without `Fault` and `Exception` at their end → ours. What is not here is `provider-refused`, or `provider-busy` with a 5xx. */
const byCode: Readonly<Record<string, FailureCode>> = {
  AccessDenied: 'privilege-missing',
  UnauthorizedOperation: 'privilege-missing',
  NotAuthorized: 'privilege-missing',
  ExpiredToken: 'login-refused',
  RequestExpired: 'login-refused',
  InvalidClientTokenId: 'login-refused',
  UnrecognizedClient: 'login-refused',
  SignatureDoesNotMatch: 'login-refused',
  IncompleteSignature: 'login-refused',
  CredentialsProviderError: 'login-refused',
  Throttling: 'provider-busy',
  ThrottlingException: 'provider-busy',
  RequestLimitExceeded: 'provider-busy',
  TooManyRequests: 'provider-busy',
  ServiceUnavailable: 'provider-busy',
  InternalFailure: 'provider-busy',
  InsufficientDBInstanceCapacity: 'provider-busy',
  // Somebody copies it, or restores from it; whether it is whole was looked at before.
  InvalidDBSnapshotState: 'provider-busy',
  InstanceQuotaExceeded: 'quota-exceeded',
  SnapshotQuotaExceeded: 'quota-exceeded',
  StorageQuotaExceeded: 'quota-exceeded',
  DBInstanceNotFound: 'not-found',
  DBSnapshotNotFound: 'not-found',
  NotFound: 'not-found',
  ResourceNotFound: 'not-found',
};

/** Of failures that look like no answer of AWS's. */
const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);

/** Milliseconds until a place that has no room for another machine is asked again. */
const capacityAgainMs = 60_000;

/** AWS's name of an error, in the form without `Fault` and `Exception`: `err.name` has them, `err.Code` has not. */
function awsCodeOf(error: unknown): string {
  return awsErrorOf(error)?.code ?? '';
}

/** Whether the credentials were right once and have run out, so reading them again may help. */
export function credentialsExpired(error: unknown): boolean {
  return expired.has(awsCodeOf(error));
}

/** Characters of what AWS says. */
const messageLength = 4_000;

/** The SDK's error as one of ours, with the call, the region and AWS's own words. A `Failure` passes through. */
export function awsFailure(error: unknown, site: CallSite): Failure {
  if (error instanceof Failure) return error;
  const where = `${site.action} in ${site.region}${site.subject === undefined ? '' : ` for ${site.subject}`}`;
  const known = awsErrorOf(error);
  if (!known) {
    return new Failure(
      'unreachable',
      `${where}: AWS cannot be reached: ${redactExcerpt(textOf(error), messageLength)}`,
      { ...site },
      error,
    );
  }
  const code = byCode[known.code] ?? ((known.status ?? 0) >= 500 ? 'provider-busy' : 'provider-refused');
  return new Failure(code, `${where}: ${explained(code, site, known)}`, factsOf(site, known), error);
}

function explained(code: FailureCode, { action }: CallSite, { code: named, message }: AwsError): string {
  const text = `${redactExcerpt(message, messageLength)} (${named})`;
  // AWS may ask for more than the call itself, such as iam:PassRole.
  const missing = /not authorized to perform: (\w[\w-]*:\w+)/.exec(message)?.[1] ?? action;
  return code === 'privilege-missing' ? `the permission ${missing} is missing: ${text}` : text;
}

function factsOf(site: CallSite, { code }: AwsError): Record<string, unknown> {
  return { ...site, awsCode: code, ...(code === 'InsufficientDBInstanceCapacity' ? { retryAfterMs: capacityAgainMs } : {}) };
}

/** undefined when no answer of AWS's came: the network, or no answer in time. */
function awsErrorOf(error: unknown): AwsError | undefined {
  if (!(error instanceof Error) || error.name === 'TimeoutError' || error.name === 'AbortError') return undefined;
  if ('code' in error && typeof error.code === 'string' && network.has(error.code)) return undefined;
  const named = 'Code' in error && typeof error.Code === 'string' ? error.Code : error.name;
  const metadata = '$metadata' in error && typeof error.$metadata === 'object' ? error.$metadata : null;
  const status =
    metadata && 'httpStatusCode' in metadata && typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
  return { code: named.replace(/(?:Fault|Exception)$/, ''), status, message: error.message };
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message || error.name : String(error));
