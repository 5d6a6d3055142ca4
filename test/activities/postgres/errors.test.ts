import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isKeptOut } from '../../../activities/postgres/errors.ts';
import { createServers, type Opening, type Servers, type Session } from '../../../activities/postgres/session.ts';
import type { Failure } from '../../../domain/failure.ts';
import type { DatabaseEntry } from '../../../domain/inventory.ts';
import { startCluster, type Cluster } from '../../../sandbox/postgres.ts';
import { eventually } from '../../support/eventually.ts';
import { connect, inDatabase } from '../support.ts';

const logins = 8;
let directory: string;
let cluster: Cluster;
let servers: Servers;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'steadyhand-errors-'));
  await chmod(directory, 0o755);
  const settings = { wal_level: 'logical', fsync: 'off', max_connections: logins, superuser_reserved_connections: 0, max_wal_senders: 2 };
  cluster = await startCluster({ major: 16, name: 'errors', directory: join(directory, 'errors'), settings });
  const databases = ['CREATE DATABASE shut', 'CREATE DATABASE limited CONNECTION LIMIT 0', 'REVOKE CONNECT ON DATABASE shut FROM PUBLIC'];
  for (const one of [`CREATE ROLE plain LOGIN PASSWORD 'secret'`, ...databases]) await inDatabase(cluster, 'postgres', one);
  const { host, port, superuser: user } = cluster;
  const server = { host, port, dbname: 'postgres', user, secret: { env: 'SUPERUSER' }, sslmode: 'disable' } as const;
  const entry: DatabaseEntry = { provider: 'streaming', owners: 'dba', policy: 'default', server };
  const inventory = { version: 1 as const, people: [], databases: { orders: entry }, policies: {} };
  servers = createServers(() => inventory, { SUPERUSER: cluster.password, PLAIN: 'secret' });
}, 60_000);
afterAll(async () => {
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

const plain = { as: { name: 'plain', secret: { env: 'PLAIN' } } };

async function failing(ask: () => Promise<unknown>): Promise<Failure> {
  return await ask().then(
    () => Promise.reject(new Error('the server refused nothing')),
    // What a session raises.
    (error: unknown) => error as Failure,
  );
}

async function refused(statements: readonly string[], opening: Partial<Opening> = {}): Promise<Failure> {
  const session: Session = await servers.open('orders', { purpose: 'change', ...opening });
  try {
    return await failing(async () => {
      for (const one of statements) await session.query(one);
    });
  } finally {
    await session.end();
  }
}

const said = ({ code, facts }: Failure): unknown[] => [code, facts['sqlstate']];
const login = async (opening: Partial<Opening>): Promise<Failure> =>
  await failing(async () => await servers.open('orders', { purpose: 'look', ...opening }));

test('55006: what others use becomes free, what this session uses does not', async () => {
  const pending = ['BEGIN', 'CREATE TABLE a (id int PRIMARY KEY)', 'CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED)'];
  const own = await refused([...pending, 'INSERT INTO b VALUES (1)', 'ALTER TABLE b DISABLE TRIGGER USER']);
  expect(said(own)).toEqual(['server-error', '55006']);
  await inDatabase(cluster, 'postgres', 'CREATE DATABASE used');
  const other = await connect(cluster, 'used');
  expect(said(await refused(['DROP DATABASE used']))).toEqual(['source-busy', '55006']);
  await other.end();
});

test('57014: the limit of a statement, and a person who cancels it', async () => {
  expect(said(await refused(['SELECT pg_sleep(60)'], { statementTimeout: 50 }))).toEqual(['statement-timeout', '57014']);
  const person = await connect(cluster, 'postgres');
  const cancelled = refused(['SELECT pg_sleep(60)']);
  const cancel = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'`;
  await eventually(async () => (await person.query(cancel)).rowCount || undefined);
  const failure = await cancelled;
  expect([...said(failure), failure.retryable]).toEqual(['statement-cancelled', '57014', false]);
  await person.end();
});

test('a lock that is not to be had, and a row that another transaction changed, are busy', async () => {
  await inDatabase(cluster, 'postgres', 'CREATE TABLE busy AS SELECT 1 AS n');
  const other = await connect(cluster, 'postgres');
  await other.query('BEGIN; LOCK TABLE busy');
  expect(said(await refused(['SET lock_timeout = 50', 'SELECT FROM busy']))).toEqual(['source-busy', '55P03']);
  await other.query('ROLLBACK');
  const session = await servers.open('orders', { purpose: 'change' });
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await session.query('SELECT FROM busy');
  await other.query('UPDATE busy SET n = 2');
  expect(said(await failing(async () => await session.query('UPDATE busy SET n = 3')))).toEqual(['source-busy', '40001']);
  await session.end();
  await other.end();
});

test('3D000: a login to a database that is not there, and a statement that names one', async () => {
  expect(said(await login({ dbname: 'nowhere' }))).toEqual(['login-refused', '3D000']);
  expect(said(await refused(['ALTER DATABASE nowhere CONNECTION LIMIT 0']))).toEqual(['server-error', '3D000']);
});

test('53300 and 42501: a database that lets nobody in, a server that is full, and a table that is somebody else’s', async () => {
  const limited = await login({ dbname: 'limited', ...plain });
  expect([...said(limited), isKeptOut(limited)]).toEqual(['unreachable', '53300', true]);
  const shut = await login({ dbname: 'shut', ...plain });
  expect([...said(shut), isKeptOut(shut)]).toEqual(['privilege-missing', '42501', true]);
  const table = await refused(['SELECT FROM pg_authid'], plain);
  expect([...said(table), isKeptOut(table)]).toEqual(['privilege-missing', '42501', false]);
  const all: pg.Client[] = [];
  while (all.length < logins) all.push(await connect(cluster, 'postgres'));
  const full = await login(plain);
  expect([...said(full), isKeptOut(full)]).toEqual(['unreachable', '53300', false]);
  await Promise.all(all.map(async (one) => await one.end()));
});

test('a session that the server ends is a lost connection', async () => {
  const idle = await servers.open('orders', { purpose: 'change' });
  await idle.query('SET idle_in_transaction_session_timeout = 30');
  await idle.query('BEGIN');
  const person = await connect(cluster, 'postgres');
  await eventually(async () => (await person.query('SELECT FROM pg_stat_activity WHERE pid = $1', [idle.pid])).rowCount === 0 || undefined);
  expect((await failing(async () => await idle.query('SELECT 1'))).code).toBe('unreachable');
  await idle.end();
  await person.end();
});
