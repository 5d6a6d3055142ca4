import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Journal } from './load-journal.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
}

export interface LoadClientOptions {
  /** In the order in which they are tried for each new connection, as libpq does with several hosts. */
  readonly endpoints: readonly Endpoint[];
  readonly user: string;
  readonly password: string;
  readonly client: number;
  /** Milliseconds from the begin of one write to the begin of the next, when there is no delay. */
  readonly everyMs: number;
  /** Milliseconds before the first one, so that the clients do not all write at the same moment. */
  readonly startAfterMs: number;
  readonly journal: Journal;
  /** No new write begins after it. */
  readonly stop: AbortSignal;
  /** The write under way is given up after it. */
  readonly giveUp: AbortSignal;
}

const connectWithinMs = 2_000;
/** Above the pooler's query_wait_timeout: only for a server that went silent. */
const answerWithinMs = 150_000;

/** Inserts (client, 1), (client, 2) … until it is stopped; the same n is retried until it is acknowledged. Never throws. */
export async function writeUntilStopped(options: LoadClientOptions): Promise<void> {
  const line: Line = { connection: undefined, lastOrder: undefined };
  await wait(options.startAfterMs);
  for (let n = 1; !options.stop.aborted; n += 1) {
    const began = performance.now();
    const done = await writeOnce(options, line, n);
    if (done) options.journal.acknowledged(options.client, n, performance.now() - began);
    await wait(Math.max(0, options.everyMs - (performance.now() - began)), undefined, { signal: options.stop }).catch(() => undefined);
  }
  await line.connection?.end().catch(() => undefined);
}

/** The client's connection to whatever answers, and its last order there. */
interface Line {
  connection: pg.Client | undefined;
  lastOrder: string | undefined;
}

async function writeOnce(options: LoadClientOptions, line: Line, n: number): Promise<boolean> {
  for (let failures = 0; !options.giveUp.aborted;) {
    options.journal.attempted(options.client, n);
    const outcome = await attempt(options, line, n);
    if (outcome === 'acknowledged') return true;
    // The first failure is followed by a try at once: the next address may answer.
    if (failures > 0) await wait(Math.min(10 * failures, 50));
    failures += 1;
  }
  return false;
}

async function attempt(options: LoadClientOptions, line: Line, n: number): Promise<'acknowledged' | 'failed'> {
  let committing = false;
  try {
    line.connection ??= await connectToAny(options);
    const found = await insert(options, line, line.connection, n);
    committing = true;
    await line.connection.query(found === 'new' ? 'COMMIT' : 'ROLLBACK');
    options.journal.resolved(options.client);
    return 'acknowledged';
  } catch (error) {
    if (committing) options.journal.inDoubt(options.client);
    options.journal.failed(codeOf(error), messageOf(error));
    await leave(line, committing, error);
    return 'failed';
  }
}

/**
 * One transaction: the probe's row, and an order that takes a value of an identity and one of a sequence that no column owns; of
 * every tenth also an update and a row of a partitioned table. All of it is there or nothing.
 */
async function insert(options: LoadClientOptions, line: Line, connection: pg.Client, n: number): Promise<'new' | 'there'> {
  const { client, journal } = options;
  await connection.query('BEGIN');
  const probe = await connection.query('INSERT INTO public.probe (client, n) VALUES ($1, $2) ON CONFLICT DO NOTHING', [client, n]);
  if (probe.rowCount === 0) {
    if (!journal.isInDoubt(client)) journal.unexplained();
    return 'there';
  }
  const order = await connection.query<{ id: string; number: string }>(
    `INSERT INTO public.orders (number, customer_id, total, reference)
     VALUES (nextval('public.order_numbers'), $1, $2, $3) RETURNING id, number`,
    [1 + (n % 100), 100 + n, referenceOf(client, n)],
  );
  const row = order.rows[0];
  journal.handedOut('public.orders_id_seq', Number(row?.id));
  journal.handedOut('public.order_numbers', Number(row?.number));
  if (n % 10 === 0 && line.lastOrder !== undefined) await payOrder(connection, line.lastOrder);
  line.lastOrder = row?.id;
  return 'new';
}

async function payOrder(connection: pg.Client, order: string): Promise<void> {
  await connection.query("UPDATE public.orders SET state = 'paid' WHERE id = $1", [order]);
  await connection.query("INSERT INTO public.order_events (order_id, kind) VALUES ($1, 'paid')", [order]);
}

/** What ties an order to its row in `probe`. */
function referenceOf(client: number, n: number): string {
  return `probe/${client}/${n}`;
}

/** The first address that lets us in. When none does, the error of the last one: what a program with libpq would be told. */
async function connectToAny(options: LoadClientOptions): Promise<pg.Client> {
  let refused: unknown = new Error('there is no address');
  for (const { host, port, dbname: database } of options.endpoints) {
    const { user, password } = options;
    const connection = new pg.Client({
      ...{ host, port, database, user, password, application_name: 'orders', ssl: false },
      ...{ connectionTimeoutMillis: connectWithinMs, query_timeout: answerWithinMs },
    });
    // Without a listener a closed connection would end the process; the next query tells of it.
    connection.on('error', () => undefined);
    try {
      await connection.connect();
      return connection;
    } catch (error) {
      refused = error;
      drop(connection);
    }
  }
  throw refused;
}

/** After an error that a server gave, the transaction is rolled back and the connection kept; after any other it is dropped. */
async function leave(line: Line, committing: boolean, error: unknown): Promise<void> {
  const { connection } = line;
  if (!connection) return;
  const kept = !committing && isStatementError(codeOf(error)) && (await rolledBack(connection));
  if (kept) return;
  line.connection = undefined;
  drop(connection);
}

async function rolledBack(connection: pg.Client): Promise<boolean> {
  return await connection.query('ROLLBACK').then(
    () => true,
    () => false,
  );
}

function drop(connection: pg.Client): void {
  connection.end().catch(() => undefined);
}

/** A SQLSTATE that is about the statement, not about connection (08), resources (53), shutdown (57P) or the system (58). */
function isStatementError(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57P|58|XX)/.test(code) && code !== 'EPIPE';
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') return error.code;
  return /timeout/i.test(messageOf(error)) ? 'timeout' : 'connection-lost';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
