import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  makeGrpcRetryInterceptor,
  ServiceError,
  type ClientOptions,
} from '@temporalio/client';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { Failure } from '../domain/failure.ts';

/** gRPC status codes that are told apart here; the library exports them only through @grpc/grpc-js. */
export const grpc = {
  invalidArgument: 3,
  deadline: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const connectWithinMs = 5_000;

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>;

const retries = defaultGrpcRetryOptions();
const retryAll = makeGrpcRetryInterceptor(retries);
const retryUpdate = makeGrpcRetryInterceptor({
  ...retries,
  retryableDecider: (attempt, status) => status.code !== grpc.resourceExhausted && retries.retryableDecider(attempt, status),
});

/** As the library retries; an update that the server has no place for fails at once, so that its message goes another way. */
const retry: Interceptor = (options, nextCall) =>
  (options.method_definition.path.endsWith('/UpdateWorkflowExecution') ? retryUpdate : retryAll)(options, nextCall);

/**
 * Connects and looks at the namespace, both within 5 s. Throws `temporal-unavailable` naming address and namespace, with what is
 * wrong: nobody there, no such namespace, key refused. Close the client's connection in the end.
 */
export async function connectTemporal(
  config: ClientConnectConfig,
  { identity = 'steadyhand', dataConverter = {} }: Pick<ClientOptions, 'identity' | 'dataConverter'> = {},
): Promise<Client> {
  const address = config.connectionOptions.address ?? 'localhost:7233';
  const namespace = config.namespace ?? 'default';
  const where = { address, namespace, tls: Boolean(config.connectionOptions.tls) };
  let connection: Connection;
  try {
    connection = await Connection.connect({
      ...config.connectionOptions,
      address,
      connectTimeout: connectWithinMs,
      interceptors: [retry],
    });
  } catch (error) {
    throw temporalFailure(error, where);
  }
  try {
    await connection.withDeadline(Date.now() + connectWithinMs, () => connection.workflowService.describeNamespace({ namespace }));
  } catch (error) {
    await connection.close();
    throw temporalFailure(error, where);
  }
  return new Client({ connection, namespace, identity, dataConverter });
}

/** Where a call went, for the message. */
export interface TemporalPlace {
  readonly address?: string;
  readonly namespace: string;
  /** Whether TLS is on, for what could be wrong when nobody answers at all. */
  readonly tls?: boolean;
}

/** Whatever the Temporal client throws, as a `Failure`; the cause is kept. A `Failure` stays what it is. */
export function temporalFailure(error: unknown, where: TemporalPlace): Failure {
  if (error instanceof Failure) return error;
  const server = where.address === undefined ? 'the Temporal server' : `Temporal at ${where.address}`;
  const code = grpcCode(error);
  const { tls, ...facts } = where;
  if (code === grpc.notFound) {
    return new Failure('temporal-unavailable', `${server} has no namespace "${where.namespace}"; check TEMPORAL_NAMESPACE`, facts, error);
  }
  if (code === grpc.permissionDenied || code === grpc.unauthenticated) {
    const what = `${server} refuses the key or certificate for namespace "${where.namespace}"`;
    return new Failure('temporal-unavailable', `${what}; check TEMPORAL_API_KEY and TEMPORAL_TLS_…`, facts, error);
  }
  if (code === grpc.invalidArgument && /search attribute/i.test(grpcText(error))) {
    const what = `Temporal's namespace "${where.namespace}" refuses a search attribute (${grpcText(error)})`;
    return new Failure('search-attributes-missing', `${what}; docs/running.md has the command that creates them`, facts, error);
  }
  return new Failure('temporal-unavailable', `${server} does not answer (${grpcText(error)})${adviceOf(tls)}`, facts, error);
}

/** The library keeps the reason of a refused TLS to itself. */
function adviceOf(tls: boolean | undefined): string {
  if (tls === undefined) return '';
  return tls
    ? '; TLS is on: the authority, the name in the server’s certificate and this side’s own certificate must fit (TEMPORAL_TLS_…)'
    : '; TLS is off: if the server wants it, set TEMPORAL_TLS_…';
}

/** How long a call of the API may take. */
export const callWithinMs = 5_000;

/** Makes the call with a deadline; the server may have done it all the same when that is missed. */
export function within<Result>(client: Client, ms: number, call: () => Promise<Result>): Promise<Result> {
  return client.withDeadline(Date.now() + ms, call);
}

/** The status code of a call that failed; undefined for an error of another kind. */
export function grpcCode(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof ServiceError && isGrpcServiceError(error.cause) ? error.cause.code : undefined;
}

/** What the server said, or why it said nothing. */
export function grpcText(error: unknown): string {
  if (grpcCode(error) === grpc.deadline) return 'no answer in time';
  if (isGrpcServiceError(error)) return error.details || error.message;
  if (error instanceof ServiceError && isGrpcServiceError(error.cause)) return error.cause.details || error.message;
  return error instanceof Error ? error.message : String(error);
}
