import { programFailures } from './program-failures.ts';
import { providerFailures } from './provider-failures.ts';
import { recoveryFailures } from './recovery-failures.ts';
import { serviceFailures } from './service-failures.ts';

/**
 * The closed list of everything that can go wrong, as a person is told it. A vendor's error becomes one of these at the edge,
 * with the cause kept. `docs/errors.md` is generated from this table.
 */
export interface FailureKind {
  /** Whether trying again by itself can help. */
  readonly retryable: boolean;
  /** The HTTP status when the API answers with it. */
  readonly status: number;
  /** What it means, in one sentence. */
  readonly meaning: string;
  /** What to do now. */
  readonly hint: string;
}

export const failureKinds = {
  'input-invalid': {
    retryable: false,
    status: 422,
    meaning: 'The input does not fit the runbook.',
    hint: 'Correct the fields that are named and ask again. Nothing was started.',
  },
  'body-invalid': {
    retryable: false,
    status: 400,
    meaning: 'The request could not be read.',
    hint: 'Send JSON of the form that the OpenAPI document at /openapi.json describes.',
  },
  'body-too-large': {
    retryable: false,
    status: 413,
    meaning: 'The body of the request is larger than the API takes.',
    hint: 'Send less: an input holds names and limits, never data.',
  },
  'media-type-unsupported': {
    retryable: false,
    status: 415,
    meaning: 'The body of the request is not JSON.',
    hint: 'Send JSON, with `Content-Type: application/json`.',
  },
  'rate-limited': {
    retryable: true,
    status: 429,
    meaning: 'This token asks too often or has too many streams open, or too many unknown tokens came from this address.',
    hint: 'Wait for the seconds of the Retry-After header. To follow a run, one stream of its events is enough.',
  },
  overloaded: {
    retryable: true,
    status: 503,
    meaning: 'The API has as many streams of events open as it may.',
    hint: 'Wait for the seconds of the Retry-After header, or ask for pages of events instead. STEADYHAND_API_STREAMS is the limit.',
  },
  unauthenticated: {
    retryable: false,
    status: 401,
    meaning: 'There is no valid bearer token in the request.',
    hint: 'Send `Authorization: Bearer sh_…`. An administrator makes a token with `steadyhand token create`.',
  },
  forbidden: {
    retryable: false,
    status: 403,
    meaning: 'This person may not do this.',
    hint: 'Ask someone of the groups that are named.',
  },
  'scope-missing': {
    retryable: false,
    status: 403,
    meaning: 'This token is not for this.',
    hint: 'Use a token that has the scope that is named; `steadyhand token create --scope …` makes one.',
  },
  'not-found': {
    retryable: false,
    status: 404,
    meaning: 'There is no such run, database, runbook or page.',
    hint: 'Look at `steadyhand runs`, or at the inventory.',
  },
  conflict: {
    retryable: false,
    status: 409,
    meaning: 'The request does not fit the state that things are in now.',
    hint: 'Look at the run again (`steadyhand show`) and decide from what is there.',
  },
  'too-many-answers': {
    retryable: false,
    status: 429,
    meaning: 'This person has answered this question as often as one person may. This answer is not recorded.',
    hint: 'Look at what became of the earlier answers (`steadyhand show`), or let another person answer.',
  },
  'idempotency-key-reused': {
    retryable: false,
    status: 422,
    meaning: 'This Idempotency-Key was used with another request.',
    hint: 'Use a new key for a new request.',
  },
  ...serviceFailures,
  'configuration-invalid': {
    retryable: false,
    status: 500,
    meaning: 'The configuration or the inventory has problems; all of them are listed.',
    hint: 'Correct them in the file and at the lines that are named.',
  },
  'request-unknown': {
    retryable: false,
    status: 403,
    meaning: 'A run was started without a request that the API has recorded.',
    hint: 'Start runs by the CLI or the API, never by the Temporal client alone.',
  },
  'lease-held': {
    retryable: false,
    status: 409,
    meaning: 'Another run holds the lease of this database.',
    hint: 'Ask again with `--wait` to stand in line, or decide the open question of the run that is named.',
  },
  'lease-orphaned': {
    retryable: false,
    status: 409,
    meaning: 'A run ended without giving its lease back and left things behind.',
    hint: '`steadyhand janitor` says how to remove what is listed, and does it where that is safe; or wait for it with `--wait`.',
  },
  'lease-lost': {
    retryable: false,
    status: 409,
    meaning: 'The run does not hold the lease of its database any more, so it may change nothing.',
    hint: 'Look at who released it: `steadyhand lease show <database>`.',
  },
  frozen: {
    retryable: false,
    status: 409,
    meaning: 'The database is frozen: no change begins.',
    hint: 'Wait until the freeze is over, or ask for its end: `steadyhand freeze list`, `steadyhand freeze off <id> --reason …`.',
  },
  'preflight-blocked': {
    retryable: false,
    status: 422,
    meaning: 'The preflight found something that would break the run.',
    hint: 'Mend each finding that blocks, as it says, and ask again. Nothing was changed.',
  },
  'plan-impossible': {
    retryable: false,
    status: 422,
    meaning: 'No plan can be made: something that the runbook needs is missing.',
    hint: 'Read what is missing and provide it.',
  },
  unreachable: {
    retryable: true,
    status: 502,
    meaning: 'A server could not be reached.',
    hint: 'Check address, network and that the server runs.',
  },
  'login-refused': {
    retryable: false,
    status: 502,
    meaning: 'A server refused the login.',
    hint: 'Check user, password secret and pg_hba.conf of the server that is named.',
  },
  'tls-refused': {
    retryable: false,
    status: 502,
    meaning: 'A server offers no TLS, or its certificate cannot be trusted.',
    hint: 'The message says why. Correct host, sslmode or sslrootcert in the inventory, or give the server another certificate.',
  },
  'privilege-missing': {
    retryable: false,
    status: 502,
    meaning: 'The role of Steadyhand may not do what the step needs.',
    hint: 'Grant what the message names.',
  },
  'identity-changed': {
    retryable: false,
    status: 409,
    meaning: 'The server that answers is not the one that the plan was made for.',
    hint: 'Find out what moved. Ask for a new plan if that was intended.',
  },
  'foreign-object': {
    retryable: false,
    status: 409,
    meaning: 'An object of the name that the run needs exists already and is not the run’s own.',
    hint: 'Find out whose it is; rename or remove it, then retry. Steadyhand does not touch it.',
  },
  drift: {
    retryable: false,
    status: 409,
    meaning: 'Something that this run made was changed by somebody else.',
    hint: 'Compare what is shown; retry, start again or roll back.',
  },
  uncertain: {
    retryable: false,
    status: 409,
    meaning: 'The step was begun and its answer was lost: its effect may be there or not. Nothing goes on until a person decides.',
    hint: 'Look for what the message names; `steadyhand show <run> --plan` has the commands. *Retry* looks first and acts only when it is not there; *mark done* (where it is offered) when you have seen it there whole; else *roll back*.',
  },
  superseded: {
    retryable: false,
    status: 409,
    meaning: 'A newer attempt of the same step is at work, so this one stopped before acting.',
    hint: 'Nothing to do.',
  },
  'not-yet': {
    retryable: true,
    status: 409,
    meaning: 'What the step waits for has not come yet.',
    hint: 'Nothing to do; the step looks again by itself.',
  },
  'deadline-passed': {
    retryable: false,
    status: 409,
    meaning: 'What the step waited for did not come in time.',
    hint: 'Look at the last progress, then retry or roll back.',
  },
  'worker-lost': {
    retryable: true,
    status: 502,
    meaning: 'The worker that did the step stopped answering.',
    hint: 'Look at the workers. The step is repeated by another one and starts with looking.',
  },
  cancelled: {
    retryable: false,
    status: 409,
    meaning: 'The run was cancelled.',
    hint: 'Nothing to do.',
  },
  ...programFailures,
  'replication-failed': {
    retryable: false,
    status: 502,
    meaning: 'Logical replication stopped with an error.',
    hint: 'Read the error of the target; mend the row or roll back.',
  },
  'objects-differ': {
    retryable: false,
    status: 409,
    meaning: 'The two sides do not have the same tables in replication, so a switch would lose writes.',
    hint: 'Add or remove the tables that are named, or start the run again.',
  },
  'source-busy': {
    retryable: true,
    status: 409,
    meaning: 'The database is too busy to be switched inside the budget.',
    hint: 'End the long transactions that are named, or wait for a quieter time, then retry.',
  },
  'statement-timeout': {
    retryable: true,
    status: 504,
    meaning: 'A statement of Steadyhand ran longer than its limit, so the server ended it.',
    hint: 'Look at what the server is busy with (pg_stat_activity), then retry.',
  },
  'statement-cancelled': {
    retryable: false,
    status: 409,
    meaning: 'Somebody cancelled a statement of Steadyhand on the server (pg_cancel_backend).',
    hint: 'Find out who did it and why, then retry or roll back. Steadyhand does not repeat it by itself.',
  },
  'switch-abandoned': {
    retryable: false,
    status: 409,
    meaning: 'The switch did not finish inside its budget; the old side serves again.',
    hint: 'Read which part took too long, then retry or roll back. No write was lost.',
  },
  'pooler-failed': {
    retryable: true,
    status: 502,
    meaning: 'The pooler did not do what it was told.',
    hint: 'Look at the pooler’s log and its admin console.',
  },
  'data-differs': {
    retryable: false,
    status: 409,
    meaning: 'Source and target do not hold the same rows.',
    hint: 'Look at the tables and keys that are listed before anything else is written.',
  },
  ...providerFailures,
  ...recoveryFailures,
  'server-error': {
    retryable: false,
    status: 502,
    meaning: 'A server answered with an error that has no code of its own here.',
    hint: 'Read the SQLSTATE and the message.',
  },
  internal: {
    retryable: false,
    status: 500,
    meaning: 'Steadyhand itself failed.',
    hint: 'Look at the log of the process with the id that is shown, and report it.',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof failureKinds;
