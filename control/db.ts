import pg from 'pg';
import { Failure } from '../domain/failure.ts';
import type { Trusted } from '../domain/tls-refusal.ts';
import { controlFailure } from './failure.ts';

/** The pool as the groups of functions use it. Every operation is one statement, so none can stop half-way holding a lock. */
export interface Db {
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The first row. Throws `internal` without one. */
  one<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row>;
  /** Rows as arrays of their columns, which costs less where there are many. */
  arrays<Row extends readonly unknown[]>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  end(): Promise<void>;
}

export interface DbOptions {
  /** With the application's role; the password may come apart from it. */
  readonly connectionString: string;
  readonly password?: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Connections at most, default 10. */
  readonly max?: number;
  /** Milliseconds that a statement may take, default 10 s. */
  readonly statementMs?: number;
}

/** Milliseconds. `answer` is for a server that went silent: it is above the server's own limit, `statement`. */
export const limits = { connect: 5_000, statement: 10_000, answer: 12_000, idle: 60_000 };

/**
 * The address with the password in it: the driver ignores one that comes beside an address. Throws `configuration-invalid` for
 * anything but a URL, without its text (or the parser's error, which has it too): there may be a password in it.
 */
export function addressOf({ connectionString, password }: Pick<DbOptions, 'connectionString' | 'password'>): string {
  if (!URL.canParse(connectionString)) {
    throw new Failure('configuration-invalid', 'the address of the control database is not of the form postgres://user@host:port/database');
  }
  const url = new URL(connectionString);
  if (password !== undefined) url.password = encodeURIComponent(password);
  return url.href;
}

/** What of the address TLS depends on, for the message when it is refused. */
export function trustedBy(connectionString: string): Trusted {
  const { hostname, searchParams } = new URL(connectionString);
  return { host: hostname, sslrootcert: searchParams.get('sslrootcert') ?? undefined };
}

/**
 * The first statement of every session. The server compiles a plan that it estimates to be expensive; for the views of the control
 * database that takes seconds, and running them takes milliseconds. A SET passes a pooler, which refuses an option of the start-up packet.
 */
export async function withoutJit(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
  await client.query('SET jit = off');
}

/**
 * Connects with the first query. All errors are Failures: `control-database-unavailable` when it is about the connection,
 * `query-too-slow` when the server cancelled the statement, or other statements had all connections for too long.
 */
export function createDb(options: DbOptions): Db {
  const address = addressOf(options);
  const pool = new pg.Pool({
    connectionString: address,
    application_name: options.applicationName,
    max: options.max ?? 10,
    idleTimeoutMillis: limits.idle,
    connectionTimeoutMillis: limits.connect,
    statement_timeout: options.statementMs ?? limits.statement,
    query_timeout: limits.answer,
    keepAlive: true,
    // The pool awaits it, before the session's first query; its type says void.
    onConnect: withoutJit as (client: pg.ClientBase) => void,
  });
  // A server that stops ends idle connections; without a listener that would end the process. The next query says what is wrong.
  pool.on('error', () => undefined);
  const connected = countConnected(pool);
  const failed = (error: unknown): Failure => {
    // pg-pool's own text: every connection was in use all the time. While none can be made, that is why.
    const inUse = error instanceof Error && error.message === 'timeout exceeded when trying to connect' && connected() > 0;
    return inUse ? queued(connected(), error) : controlFailure(error, trustedBy(address));
  };
  const query: Db['query'] = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) => {
    try {
      return (await pool.query<Row>(text, [...values])).rows;
    } catch (error) {
      throw failed(error);
    }
  };
  return {
    query,
    one: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) => {
      const [row] = await query<Row>(text, values);
      if (row === undefined) throw new Failure('internal', 'the control database answered with no row');
      return row;
    },
    arrays: async <Row extends readonly unknown[]>(text: string, values: readonly unknown[] = []) => {
      try {
        // The driver's type of a row in this mode is an array of anything.
        return (await pool.query({ text, values: [...values], rowMode: 'array' })).rows as unknown as Row[];
      } catch (error) {
        throw failed(error);
      }
    },
    end: () => pool.end(),
  };
}

function countConnected(pool: pg.Pool): () => number {
  const clients = new Set<unknown>();
  pool.on('connect', (client) => clients.add(client));
  pool.on('remove', (client) => clients.delete(client));
  return () => clients.size;
}

function queued(connections: number, error: unknown): Failure {
  const waited = `it waited ${limits.connect / 1_000} s for a connection: as many other queries as there are connections (${connections})`;
  return new Failure('query-too-slow', `control database: the query did not begin; ${waited} are under way`, { connections }, error);
}

/** A value as a parameter of type json. Half a surrogate pair, as a cut text may end with, would be refused by the server. */
export function asJson(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'string' ? one.toWellFormed() : one));
}
