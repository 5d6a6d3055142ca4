import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { fill, quoteLiteral, type Command, type Values } from '../../domain/command.ts';
import { Failure } from '../../domain/failure.ts';
import { databaseOf, type DatabaseEntry, type Inventory, type SecretReference } from '../../domain/inventory.ts';
import { copyIn, copyOut } from './copy-stream.ts';
import { createAws, type Aws } from '../aws/aws.ts';
import { secretValue } from '../aws/secret-value.ts';
import { postgresFailure } from './errors.ts';
import { tlsFailure, tlsOptions, type Tls } from './tls.ts';

/** A connection to a server of the inventory. Always `end()` it. */
export interface Session {
  /** Reads. In a session for looking the server itself refuses writes. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Executes exactly a command of the plan with its variables filled in. Only a session for changing has the right to. */
  run<Row extends pg.QueryResultRow>(command: Command, values?: Values): Promise<Row[]>;
  /** A `COPY … TO STDOUT`, as the bytes come. To stop reading before the end, end the session. */
  copyOut(command: Command, values?: Values): AsyncIterable<Buffer>;
  /** A `COPY … FROM STDIN` with these bytes; how many rows they were. Only a session for changing has the right to. */
  copyIn(command: Command, values: Values, rows: AsyncIterable<Buffer>): Promise<number>;
  /** The server's process id of this session, to leave it out when others are ended. 0 at another address, where nobody knows it. */
  readonly pid: number;
  end(): Promise<void>;
}

export interface Opening {
  /** `look`: `default_transaction_read_only = on`. `change`: named after the step, for the server's log. */
  readonly purpose: 'look' | 'change';
  /** Shown in pg_stat_activity as `steadyhand <step>`; sessions for looking are `steadyhand look`. */
  readonly step?: string;
  /** Milliseconds; 30 s when absent, 0 for none. */
  readonly statementTimeout?: number;
  /** Another database of the same server (to lift a fence), default the inventory's. */
  readonly dbname?: string;
  /** Another user (the application's), default the inventory's. */
  readonly as?: { readonly name: string; readonly secret?: SecretReference };
  /**
   * Another address (the pooler's), default the inventory's. Behind it other clients may get the same server connection next,
   * so nothing is SET there: the timeout is the client's own, and only a transaction can be read-only.
   */
  readonly at?: Address;
  /** Another server that has this one's logins, a copy of it; what is not said is the inventory's. Unlike a pooler it takes SETs. */
  readonly server?: Partial<DatabaseEntry['server']>;
  /** Which server it must be, for a change also a primary. When another one answers, opening raises `identity-changed`. */
  readonly identity?: { readonly systemIdentifier: string; readonly databaseOid: number };
}

/** With its own TLS where it has one; else the server's. */
export interface Address extends Partial<Tls> {
  readonly host: string;
  readonly port: number;
}

/** The way to every server of the inventory. */
export interface Servers {
  entry(database: string): DatabaseEntry;
  open(database: string, opening: Opening): Promise<Session>;
  /** The value behind a reference, or undefined without one. Never let it leave the activity. */
  secret(reference: SecretReference | undefined): Promise<string | undefined>;
}

const connectTimeoutMs = 5_000;

/** `inventory` is asked anew each time, so an inventory that was read again counts from the next session on. */
export function createServers(
  inventory: () => Inventory,
  environment: Readonly<Record<string, string | undefined>>,
  aws: Aws = createAws(),
): Servers {
  const secret = (reference: SecretReference | undefined): Promise<string | undefined> => readSecret(reference, environment, aws);
  const entry = (database: string): DatabaseEntry => databaseOf(inventory(), database);
  return { entry, secret, open: (database, opening) => open(database, entry(database), opening, secret) };
}

async function open(database: string, entry: DatabaseEntry, opening: Opening, secret: Servers['secret']): Promise<Session> {
  const server = { ...entry.server, ...opening.server };
  const host = opening.at?.host ?? server.host;
  const port = opening.at?.port ?? server.port;
  const where = `${database} (${host}:${port})`;
  const { sslmode = server.sslmode, sslrootcert = server.sslrootcert } = opening.at ?? {};
  const tls = { sslmode, sslrootcert };
  const client = new pg.Client({
    host,
    port,
    database: opening.dbname ?? server.dbname,
    user: opening.as?.name ?? server.user,
    password: await secret(opening.as ? opening.as.secret : server.secret),
    application_name: opening.at ? nameOf(opening) : 'steadyhand look',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerWithin(opening),
    ssl: await tlsOptions(tls),
  });
  // Without a listener, a server that stops would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    if (!opening.at) await client.query(settings(opening));
    const pid = opening.at && !opening.identity ? 0 : await recognise(client, opening, where);
    if (!opening.at && opening.purpose === 'change') await client.query(`SET application_name = ${quoteLiteral(nameOf(opening))}`);
    return session(client, where, opening.purpose, pid);
  } catch (error) {
    await endOf(client);
    throw tlsFailure(error, { where, host, ...tls }) ?? postgresFailure(error, where);
  }
}

/** The client's own limit, for a server that hangs and ends nothing by itself. PgBouncer knows no limit of the server's. */
function answerWithin(opening: Opening): number | undefined {
  const limit = timeoutOf(opening);
  if (limit === 0) return undefined;
  return opening.at ? limit : limit + 2_000;
}

const timeoutOf = (opening: Opening): number => opening.statementTimeout ?? 30_000;

const nameOf = (opening: Opening): string => (opening.purpose === 'look' ? 'steadyhand look' : `steadyhand ${opening.step ?? 'change'}`);

/** JIT is off: compiling a plan over the catalogue takes seconds, running it milliseconds. */
function settings(opening: Opening): string {
  const settings = `SET jit = off; SET statement_timeout = ${timeoutOf(opening)}`;
  return opening.purpose === 'look' ? `${settings}; SET default_transaction_read_only = on` : settings;
}

/** The session's process id. The server is looked at before the session takes the name of its step, so the log shows it as a look. */
async function recognise(client: pg.Client, { identity, dbname, purpose, at }: Opening, where: string): Promise<number> {
  if (!identity) {
    const own = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return own.rows[0]?.pid ?? 0;
  }
  const seen = await client.query<{ pid: number; system: string; oid: string; standby: boolean }>(
    `SELECT pg_backend_pid() AS pid, c.system_identifier::text AS system, d.oid::int8::text AS oid, pg_is_in_recovery() AS standby
       FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()`,
  );
  const row = seen.rows[0];
  // At a pooler it is an alias of this very database.
  const sameDatabase = (dbname !== undefined && !at) || row?.oid === String(identity.databaseOid);
  if (row && row.system === identity.systemIdentifier && sameDatabase && !(row.standby && purpose === 'change')) return row.pid;
  const what = row ? `system ${row.system}, database ${row.oid}${row.standby ? ', a standby' : ''}` : 'nothing';
  throw new Failure(
    'identity-changed',
    `${where} answers as ${what}; the plan was made for system ${identity.systemIdentifier}, database ${identity.databaseOid}`,
    { where },
  );
}

function session(client: pg.Client, where: string, purpose: Opening['purpose'], pid: number): Session {
  const query = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
    try {
      const result = await client.query<Row>(text, [...values]);
      return result.rows;
    } catch (error) {
      throw postgresFailure(error, where);
    }
  };
  const mayChange = (command: Command): void => {
    if (purpose === 'look') throw new Failure('internal', `a session for looking was told to run: ${command.text}`);
  };
  return {
    pid,
    query,
    run: async (command, values = {}) => {
      mayChange(command);
      return await query(fill(command, values));
    },
    copyOut: async function* (command, values = {}) {
      try {
        yield* copyOut(client, fill(command, values));
      } catch (error) {
        throw postgresFailure(error, where);
      }
    },
    copyIn: async (command, values, rows) => {
      mayChange(command);
      try {
        return await copyIn(client, fill(command, values), rows);
      } catch (error) {
        throw postgresFailure(error, where);
      }
    },
    end: async () => await endOf(client),
  };
}

const endWithinMs = 1_000;

/** Says good-bye, and cuts the wire when nobody answers: a server that hangs must not hold up what comes next. */
async function endOf(client: pg.Client): Promise<void> {
  const cut = setTimeout(() => {
    client.connection.stream.destroy();
  }, endWithinMs);
  await client.end().catch(() => undefined);
  clearTimeout(cut);
}

async function readSecret(
  reference: SecretReference | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  aws: Aws,
): Promise<string | undefined> {
  if (!reference) return undefined;
  if ('secretsManager' in reference) return await secretValue(aws, reference);
  if ('env' in reference) {
    const value = environment[reference.env];
    if (value === undefined) throw new Failure('configuration-invalid', `the variable ${reference.env}, which holds a secret, is not set`);
    return value;
  }
  try {
    return (await readFile(reference.file, 'utf8')).trimEnd();
  } catch (error) {
    throw new Failure('configuration-invalid', `the secret's file ${reference.file} cannot be read`, { file: reference.file }, error);
  }
}
