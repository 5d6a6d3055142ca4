import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { ulid } from 'ulid';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Actor, Control, NewRequest } from '../../control/contract.ts';
import { createControl } from '../../control/control.ts';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import type { Cluster } from '../../sandbox/postgres.ts';
import { eventually } from '../support/eventually.ts';
import { application, owner, startControlServer, templateControl, type ControlServer } from '../support/control-server.ts';

export { application, owner };
export const anna: Actor = { kind: 'person', name: 'anna', channel: 'cli' };

export interface Emptied {
  readonly control: Control;
  readonly database: string;
}

export interface Place {
  /** As one of the roles, or as the superuser. */
  url(database: string, role?: string): string;
  /** A client that is ended after the test. */
  client(database: string, role?: string): Promise<pg.Client>;
  /** An empty database of the owner. */
  empty(): Promise<string>;
  /** A migrated database and a control on it. */
  fresh(max?: number): Promise<Emptied>;
  /** The same, ten times faster: one database for the file, emptied before each use. Only where triggers are not the subject. */
  emptied(max?: number): Promise<Emptied>;
  cluster(): Cluster;
}

/** Call it at the top of a test file: server before the file, connections closed after each test. */
export function controlPlace(): Place {
  let server: ControlServer | undefined;
  const endings: (() => Promise<void>)[] = [];
  const started = (): ControlServer => {
    if (server === undefined) throw new Error('the server has not been started');
    return server;
  };
  const cluster = (): Cluster => started().cluster;
  const url: Place['url'] = (database, role) => started().url(database, role);
  const client: Place['client'] = async (database, role) => {
    const opened = new pg.Client({ connectionString: url(database, role) });
    opened.on('error', () => undefined);
    await opened.connect();
    endings.push(() => opened.end());
    return opened;
  };
  const create = async (suffix: string): Promise<string> => {
    const database = `control_${randomBytes(6).toString('hex')}`;
    const admin = await client('postgres');
    await admin.query(`CREATE DATABASE ${database} OWNER ${owner} ${suffix}`);
    return database;
  };
  let shared: string | undefined;
  const open = (database: string, max = 10): Emptied => {
    const control = createControl({ connectionString: url(database, application), applicationName: 'control tests', max });
    endings.push(() => control.close());
    return { control, database };
  };

  beforeAll(async () => {
    server = await startControlServer();
  }, 60_000);
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });
  afterAll(async () => {
    await server?.stop();
  }, 30_000);

  return {
    url,
    client,
    cluster,
    empty: () => create(''),
    fresh: async (max) => open(await create(`TEMPLATE ${templateControl}`), max),
    emptied: async (max) => {
      shared ??= await create(`TEMPLATE ${templateControl}`);
      await (await client(shared)).query(emptyAll);
      return open(shared, max);
    },
  };
}

const emptyAll = `
  ALTER TABLE steadyhand.events DISABLE TRIGGER append_only;
  ALTER TABLE steadyhand.proofs DISABLE TRIGGER append_only;
  TRUNCATE steadyhand.proofs, steadyhand.freezes, steadyhand.queue, steadyhand.events, steadyhand.requests, steadyhand.runs, steadyhand.steps, steadyhand.evidence, steadyhand.questions,
    steadyhand.decisions, steadyhand.leases, steadyhand.attempts, steadyhand.no_return, steadyhand.documents, steadyhand.tokens,
    steadyhand.old_secrets;
  ALTER TABLE steadyhand.proofs ENABLE ALWAYS TRIGGER append_only;
  ALTER TABLE steadyhand.events ENABLE ALWAYS TRIGGER append_only`;

export function newRequest(changes: Partial<NewRequest> = {}): NewRequest {
  const database = changes.database ?? 'orders';
  return {
    run: `migration-cutover/${database}/${ulid()}`,
    runbook: 'migration-cutover',
    version: 1,
    risk: 'high',
    database,
    input: { target: 'orders-18' },
    requester: 'anna',
    channel: 'cli',
    idempotencyKey: ulid(),
    bodyDigest: 'a'.repeat(64),
    ...changes,
  };
}

/** A run that was requested; its workflow id. */
export async function aRun(control: Control, changes: Partial<NewRequest> = {}): Promise<string> {
  return (await control.requests.create(newRequest(changes))).request.run;
}

export const kindsOf = async (control: Control, run?: string): Promise<string[]> =>
  (await control.events.list({ limit: 1_000, ...(run === undefined ? {} : { run }) })).map((event) => event.kind);

/** The failure that the promise ends with; the test fails when it doesn't, or with another code. */
export async function failureOf(code: FailureCode, promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    (value: unknown) => new Error(`it went through with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw error;
  expect(error.code, error.message).toBe(code);
  return error;
}

/** How many rows of all tables the server reads for the work. A session reports them when it ends. */
export async function rowsRead(place: Place, database: string, work: (control: Control) => Promise<unknown>): Promise<number> {
  const client = await place.client(database);
  const read = async (): Promise<number> => {
    const { rows } = await client.query<{ read: string }>(
      `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS read FROM pg_stat_user_tables WHERE schemaname = 'steadyhand'`,
    );
    return Number(rows[0]?.read);
  };
  const sessions = async (): Promise<number> =>
    (await client.query("SELECT FROM pg_stat_activity WHERE application_name LIKE 'counted%'")).rowCount ?? 0;
  const before = await read();
  const counted = createControl({ connectionString: place.url(database, application), applicationName: 'counted' });
  await work(counted);
  await counted.close();
  await eventually(async () => ((await sessions()) === 0 ? true : undefined));
  return (await read()) - before;
}
