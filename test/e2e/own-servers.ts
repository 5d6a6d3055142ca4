import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { inject } from 'vitest';
import { stringify } from 'yaml';
import { runDetailSchema } from '../../api/answers.ts';
import { apiClient } from '../../cli/client.ts';
import type { RunDetail } from '../../control/contract.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { freePorts } from '../../sandbox/free-ports.ts';
import { layoutOf, type Layout } from '../../sandbox/layout.ts';
import { giveToPostgres } from '../../sandbox/postgres-user.ts';
import { startCluster, type Cluster, type ClusterOptions, type Settings } from '../../sandbox/postgres.ts';
import { runProgram } from '../../sandbox/run-program.ts';
import { startService, type Service } from '../../sandbox/service.ts';
import { createAuthority } from '../support/certificates.ts';
import { postgres15 } from '../support/postgres-15.ts';
import { scriptOf } from '../support/scripts-of-servers.ts';
import { tlsSettings, writeAuthority, writeCertificate } from '../support/tls-server.ts';

/** What a user sets up who follows docs/running.md and docs/servers.md: no sandbox, only its way of starting processes. */
export interface OwnServers {
  readonly sides: Readonly<Record<'source' | 'target', Cluster>>;
  readonly control: Cluster;
  readonly workers: readonly Service[];
  /** `steadyhand …` as that person; returns what it printed. */
  steadyhand(person: string, ...args: readonly string[]): Promise<string>;
  /** A run as it is now, over HTTP: a look by the command line starts a process each time. */
  detail(run: string): Promise<RunDetail>;
  /** As the application or another role, over TLS with verify-full. */
  connect(side: 'source' | 'target', user: string, password: string): Promise<pg.Client>;
  end(): Promise<void>;
}

const ourAuthority = createAuthority('an authority of our own');
const commandLine = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Each plan goes to the log with its session's name and with the settings that are not the server's defaults. */
const explaining: Settings = {
  shared_preload_libraries: 'auto_explain',
  log_line_prefix: '%m [%p] <%a> ',
  'auto_explain.log_min_duration': 0,
  'auto_explain.log_settings': true,
};

/** Only TLS, only SCRAM, and no socket without a password. */
const hostBasedAccess = 'hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n';

/** An older PostgreSQL: Debian's 15 where it is installed. */
const olderPostgres: Pick<ClusterOptions, 'bin' | 'major'> = postgres15 === undefined ? { major: 16 } : { bin: postgres15 };

const applicationRoles = "CREATE ROLE orders_owner; CREATE ROLE orders_app LOGIN PASSWORD 'application'";
const applicationSchema = `
  SET ROLE orders_owner;
  CREATE TABLE customers (id bigserial PRIMARY KEY, name text NOT NULL);
  CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, note text);
  CREATE INDEX ON orders (customer);
  CREATE VIEW newest AS SELECT max(id) AS id FROM orders;
  GRANT SELECT, INSERT ON customers, orders TO orders_app; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO orders_app; RESET ROLE;`;
const applicationRows = `
  INSERT INTO customers (name) SELECT 'customer ' || i FROM generate_series(1, 100) i;
  INSERT INTO orders (customer, note) SELECT 1 + i % 100, 'order ' || i FROM generate_series(1, 2000) i;`;

const people = { mara: ['dba', 'oncall'], jonas: ['dba'], lena: ['orders-team'] };

/** Servers, control database, configuration, `migrate`, tokens, an API and two workers. `end()` whatever came of it. */
export async function setUpByHand(endings: (() => Promise<unknown>)[]): Promise<OwnServers> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-own-'));
  await chmod(directory, 0o755);
  endings.push(async () => await rm(directory, { recursive: true, force: true }));
  const layout = layoutOf(directory);
  await Promise.all([layout.pids, layout.logs, layout.secrets, layout.tokens].map(async (folder) => await mkdir(folder)));
  const authority = await writeAuthority(directory, ourAuthority);
  const [source, target, control] = await Promise.all([
    securedServer(directory, 'source', { ...olderPostgres, settings: { wal_level: 'logical' } }, endings),
    securedServer(directory, 'target', { major: 18 }, endings),
    started({ name: 'control', major: 18, directory: join(directory, 'control'), settings: { ...explaining, fsync: 'off' } }, endings),
  ]);
  const sides = { source, target };
  await prepareApplication(sides);
  const environment = await configure(layout, { sides, control, authority });
  const own = async (...args: readonly string[]): Promise<string> => await command(environment, args);
  await own('migrate');
  const makeToken = async (person: string): Promise<void> => {
    const [token = ''] = (await own('token', 'create', '--person', person)).split('\n');
    await writeFile(layout.tokenFile(person), token);
  };
  await Promise.all(Object.keys(people).map(makeToken));
  const start = async (kind: 'api' | 'worker', name: string, ...args: readonly string[]): Promise<Service> => {
    const service = await startService({ layout, command: kind, name, args, environment, log: () => undefined });
    endings.push(async () => await service.stop());
    return service;
  };
  const bundle = ['--bundle', inject('workflowBundle')];
  const [, ...workers] = await Promise.all([
    start('api', 'api'),
    start('worker', 'worker-1', ...bundle),
    start('worker', 'worker-2', ...bundle),
  ]);
  return {
    sides,
    control,
    workers,
    steadyhand: async (person, ...args) => await command({ ...environment, STEADYHAND_TOKEN_FILE: layout.tokenFile(person) }, args),
    detail: async (run) => await apiClient({ environment }, { as: layout.tokenFile('mara') }).get(`/v1/runs/${run}`, runDetailSchema),
    connect: async (side, user, password) => await secured(sides[side], 'orders', user, password),
    end: async () => {
      for (const end of endings.splice(0).reverse()) await end();
    },
  };
}

async function started(options: ClusterOptions, endings: (() => Promise<unknown>)[]): Promise<Cluster> {
  const cluster = await startCluster(options);
  endings.push(async () => await cluster.stop());
  return cluster;
}

async function securedServer(
  root: string,
  name: string,
  which: Partial<ClusterOptions>,
  endings: (() => Promise<unknown>)[],
): Promise<Cluster> {
  const directory = join(root, name);
  await mkdir(directory, { mode: 0o755 });
  await giveToPostgres(directory);
  await writeCertificate(directory, ourAuthority.issue(['localhost']));
  const settings = { ...which.settings, ...tlsSettings(directory), ...explaining, fsync: 'off', log_statement: 'all' };
  const cluster = await started({ ...which, name, directory, settings }, endings);
  await writeFile(join(cluster.dataDirectory, 'pg_hba.conf'), hostBasedAccess);
  await cluster.restart();
  return cluster;
}

async function secured({ port }: Cluster, database: string, user: string, password: string): Promise<pg.Client> {
  const ssl = { ca: ourAuthority.certificate, rejectUnauthorized: true };
  const client = new pg.Client({ host: 'localhost', port, database, user, password, ssl, application_name: 'the application' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** The application's roles and database on both sides, and Steadyhand's rights by the scripts of the page. */
async function prepareApplication(sides: Readonly<Record<'source' | 'target', Cluster>>): Promise<void> {
  for (const side of ['source', 'target'] as const) {
    const { superuser, password } = sides[side];
    const first = await secured(sides[side], 'postgres', superuser, password);
    await first.query(applicationRoles);
    await first.query('CREATE DATABASE orders OWNER orders_owner');
    await first.end();
    const client = await secured(sides[side], 'orders', superuser, password);
    if (side === 'source' || postgres15 === undefined) await client.query(applicationSchema);
    if (side === 'source') await client.query(applicationRows);
    for (const statement of scriptOf(side)) await client.query(statement);
    await client.end();
  }
}

interface Parts {
  readonly sides: Readonly<Record<'source' | 'target', Cluster>>;
  readonly control: Cluster;
  readonly authority: string;
}

/** `steadyhand.yaml`, the secrets' files, and the environment of docs/running.md. */
async function configure(layout: Layout, { sides, control, authority }: Parts): Promise<Record<string, string | undefined>> {
  const secret = async (name: string, value: string): Promise<{ file: string }> => {
    await writeFile(layout.secretFile(name), value, { mode: 0o600 });
    return { file: layout.secretFile(name) };
  };
  const roles = { steadyhand: await secret('steadyhand', 'change-me'), stream: await secret('replication', 'change-me-too') };
  const server = ({ port }: Cluster): object => ({
    host: 'localhost',
    port,
    dbname: 'orders',
    user: 'steadyhand',
    secret: roles.steadyhand,
    sslrootcert: authority,
  });
  const common = { provider: 'streaming', owners: 'orders-team', policy: 'production' };
  const inventory = {
    version: 1,
    people: Object.entries(people).map(([name, groups]) => ({ name, groups })),
    databases: {
      orders: {
        ...common,
        server: server(sides.source),
        replication: { user: 'steadyhand_replication', secret: roles.stream, sslrootcert: authority },
      },
      'orders-next': { ...common, server: server(sides.target) },
    },
    policies: {
      production: {
        requesters: ['oncall'],
        operators: ['dba'],
        approvals: { low: 'auto', medium: { quorum: [{ group: 'dba' }] }, high: { quorum: [{ group: 'dba' }, { group: 'owners' }] } },
      },
    },
  };
  await writeFile(layout.inventory, stringify(inventory));
  const [port = 0] = await freePorts(1);
  const address = (role: string): string => `postgres://${role}@127.0.0.1:${control.port}/steadyhand`;
  await controlRoles(control);
  return {
    ...sandboxConfiguration().environment,
    STEADYHAND_INVENTORY: layout.inventory,
    STEADYHAND_CONTROL_URL: address('steadyhand_app'),
    STEADYHAND_CONTROL_PASSWORD_FILE: (await secret('app', 'app')).file,
    STEADYHAND_CONTROL_OWNER_URL: address('steadyhand_owner'),
    STEADYHAND_CONTROL_OWNER_PASSWORD_FILE: (await secret('owner', 'owner')).file,
    STEADYHAND_API_PORT: String(port),
    STEADYHAND_API_URL: `http://127.0.0.1:${port}`,
    // One of its own: the Temporal server is that of all tests.
    STEADYHAND_TASK_QUEUE: `own-${port}`,
    ...(postgres15 === undefined
      ? {}
      : { STEADYHAND_PG_DUMP: join(postgres15, 'pg_dump'), STEADYHAND_PG_RESTORE: join(postgres15, 'pg_restore') }),
    TEMPORAL_ADDRESS: inject('temporalAddress'),
  };
}

/** As docs/running.md has it. */
async function controlRoles({ host, port, superuser: user, password }: Cluster): Promise<void> {
  const client = new pg.Client({ host, port, user, password, database: 'postgres' });
  await client.connect();
  await client.query("CREATE ROLE steadyhand_owner LOGIN CREATEROLE PASSWORD 'owner'; CREATE ROLE steadyhand_app LOGIN PASSWORD 'app'");
  await client.query('CREATE DATABASE steadyhand OWNER steadyhand_owner');
  await client.end();
}

async function command(environment: Readonly<Record<string, string | undefined>>, args: readonly string[]): Promise<string> {
  return await runProgram({ command: process.execPath, args: [commandLine, ...args], environment, timeoutMs: 30_000 });
}
