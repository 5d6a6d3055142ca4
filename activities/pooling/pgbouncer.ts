import pg from 'pg';
import type { Command } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import type { PoolerEntry } from '../../domain/inventory.ts';
import { redactExcerpt } from '../../domain/redaction.ts';
import { tlsFailure, tlsOptions } from '../postgres/tls.ts';
import type { Address } from './alias-text.ts';

/** A connection to PgBouncer's admin console. It understands simple queries only. Always `end()` it. */
export interface Console {
  /**
   * Executes a command of the plan. `PAUSE` of what is paused and `RESUME` of what is not paused succeed. When no answer came
   * within `timeoutMs` the socket is dropped and `pooler-failed` (facts.timedOut) is thrown: a PAUSE may then still be waiting
   * in the pooler, so a RESUME must follow from another connection.
   */
  run(command: Command, timeoutMs: number): Promise<void>;
  /** The alias as PgBouncer has it now (not as its file says), or undefined when it does not know it. */
  alias(name: string, timeoutMs: number): Promise<LiveAlias | undefined>;
  /** Whether a client of the alias keeps a server connection until it leaves (pool_mode session): PAUSE would wait for it. */
  sessionPooling(name: string, timeoutMs: number): Promise<boolean>;
  /** Server connections of the alias that are just logging in. A PAUSE then would mark the pool as failed for 15 s. */
  loggingIn(name: string, timeoutMs: number): Promise<number>;
  end(): Promise<void>;
}

export interface LiveAlias extends Address {
  readonly paused: boolean;
}

/** Newer versions say which columns are numbers, and the driver makes numbers of them. */
type Row = Readonly<Record<string, string | number | null>>;

const connectTimeoutMs = 3_000;

/** Logs in to the admin console. Throws `pooler-failed`, `tls-refused`. */
export async function openConsole(pooler: PoolerEntry, password: string | undefined): Promise<Console> {
  const where = `the pooler at ${pooler.host}:${pooler.port}`;
  const client = new pg.Client({
    host: pooler.host,
    port: pooler.port,
    database: 'pgbouncer',
    user: pooler.admin.user,
    password,
    ssl: await tlsOptions(pooler),
    connectionTimeoutMillis: connectTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw (
      tlsFailure(error, { where, ...pooler }) ?? consoleFailure(error, `${where}: the admin console does not let "${pooler.admin.user}" in`)
    );
  }
  const ask = (text: string, timeoutMs: number): Promise<Row[]> => withTimeout(client, text, timeoutMs, where);
  return {
    run: async (command, timeoutMs) => {
      if (command.kind !== 'pgbouncer') throw new Failure('internal', `the pooler's console was told to run: ${command.text}`);
      try {
        await ask(command.text, timeoutMs);
      } catch (error) {
        if (!alreadySo(command.text, error)) throw error;
      }
    },
    alias: async (name, timeoutMs) => liveAlias((await ask('SHOW DATABASES', timeoutMs)).find((row) => row.name === name)),
    loggingIn: async (name, timeoutMs) => {
      const pools = (await ask('SHOW POOLS', timeoutMs)).filter((row) => row.database === name);
      return pools.reduce((sum, row) => sum + Number(row.sv_login ?? 0), 0);
    },
    sessionPooling: (name, timeoutMs) => sessionPooling(ask, name, timeoutMs),
    end: async () => {
      await client.end().catch(() => undefined);
    },
  };
}

async function withTimeout(client: pg.Client, text: string, timeoutMs: number, where: string): Promise<Row[]> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => {
        reject(new Failure('pooler-failed', `${where} gave no answer to ${text} within ${timeoutMs} ms`, { where, timedOut: true }));
        // With a query under way this drops the socket; an answer would come too late for anybody.
        void client.end().catch(() => undefined);
      },
      Math.max(1, timeoutMs),
    );
  });
  try {
    const answer = client.query<Row>(text);
    answer.catch(() => undefined);
    return (await Promise.race([answer, tooLate])).rows;
  } catch (error) {
    throw consoleFailure(error, `${where}: ${text}`);
  } finally {
    clearTimeout(timer);
  }
}

function alreadySo(text: string, error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return (
    (text.startsWith('PAUSE') && /already (suspended\/)?paused/i.test(message)) ||
    (text.startsWith('RESUME') && /not paused/i.test(message))
  );
}

async function sessionPooling(ask: (text: string, timeoutMs: number) => Promise<Row[]>, name: string, timeoutMs: number): Promise<boolean> {
  const pools = (await ask('SHOW POOLS', timeoutMs)).filter((row) => row.database === name);
  const own = (await ask('SHOW DATABASES', timeoutMs)).find((row) => row.name === name)?.pool_mode;
  const general = (await ask('SHOW CONFIG', timeoutMs)).find((row) => row.key === 'pool_mode')?.value;
  return (own ?? general) === 'session' || pools.some((row) => row.pool_mode === 'session');
}

function liveAlias(row: Row | undefined): LiveAlias | undefined {
  if (!row) return undefined;
  return {
    host: String(row.host ?? ''),
    port: Number(row.port),
    dbname: String(row.database ?? ''),
    paused: Number(row.paused) === 1,
  };
}

function consoleFailure(error: unknown, what: string): Failure {
  if (error instanceof Failure) return error;
  const text = redactExcerpt(error instanceof Error ? error.message || error.name : String(error), 4_000);
  return new Failure('pooler-failed', `${what}: ${text}`, {}, error);
}
