import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openConsole } from '../../../activities/pooling/pgbouncer.ts';
import { createServers, type Servers } from '../../../activities/postgres/session.ts';
import { describe as describeDatabase } from '../../../activities/providers/describe.ts';
import { subscribe } from '../../../activities/replication/subscribe.ts';
import { publish } from '../../../activities/replication/publish.ts';
import { parseInventory, type Inventory } from '../../../domain/inventory.ts';
import { sandboxConfiguration } from '../../../sandbox/configuration.ts';
import { freePorts } from '../../../sandbox/free-ports.ts';
import { startPgBouncer } from '../../../sandbox/pgbouncer.ts';
import { giveToPostgres } from '../../../sandbox/postgres-user.ts';
import { startCluster, type Cluster } from '../../../sandbox/postgres.ts';
import { createAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { createJournal } from '../../support/attempt.ts';
import { pooled } from '../../support/pooled.ts';
import { tlsSettings, writeAuthority, writeCertificate } from '../../support/tls-server.ts';
import { inDatabase, makeBench } from '../support.ts';

const ours = createAuthority('the authority of the test');
const theirs = createAuthority('another authority');
const settings = { wal_level: 'logical', fsync: 'off' };

let root: string;
/** With TLS; its certificate is for "localhost". */
let secured: Cluster;
/** Without. */
let plain: Cluster;
let trusted: string;
let unknown: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'steadyhand-tls-'));
  await chmod(root, 0o755);
  trusted = await writeAuthority(root, ours);
  unknown = await writeAuthority(root, theirs, 'another.pem');
  const directory = join(root, 'secured');
  await mkdir(directory, { mode: 0o755 });
  await writeCertificate(directory, ours.issue(['localhost']));
  [secured, plain] = await Promise.all([
    startCluster({ name: 'source', major: 16, directory, settings: { ...settings, ...tlsSettings(directory) } }),
    startCluster({ name: 'target', major: 18, directory: join(root, 'plain'), settings }),
  ]);
}, 60_000);
afterAll(async () => {
  await Promise.all([secured?.stop(), plain?.stop()]);
  await rm(root, { recursive: true, force: true });
});

function inventoryOf(cluster: Cluster, server: object, more: object = {}): Inventory {
  const login = { port: cluster.port, dbname: 'postgres', user: cluster.superuser, secret: { env: 'PASSWORD' } };
  const orders = { provider: 'streaming', owners: 'dba', server: { ...login, ...server }, ...more };
  const approvals = { low: 'auto', medium: 'auto', high: 'auto' };
  const policies = { default: { requesters: ['dba'], operators: ['dba'], approvals } };
  return parseInventory(
    JSON.stringify({ version: 1, people: [{ name: 'ada', groups: ['dba'] }], databases: { orders }, policies }),
    'test',
  );
}

const serversOf = (cluster: Cluster, server: object): Servers =>
  createServers(() => inventoryOf(cluster, server), { PASSWORD: cluster.password });

const describeIt = async (servers: Servers): Promise<unknown> => await describeDatabase(servers, 'orders');

async function encrypted(servers: Servers): Promise<unknown> {
  const session = await servers.open('orders', { purpose: 'look' });
  try {
    return (await session.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'))[0]?.ssl;
  } finally {
    await session.end();
  }
}

describe('verify-full', () => {
  test('with the authority and the name of the certificate: encrypted; require asks for neither', async () => {
    expect(await encrypted(serversOf(secured, { host: 'localhost', sslrootcert: trusted }))).toBe(true);
    expect(await encrypted(serversOf(secured, { host: '127.0.0.1', sslmode: 'require' }))).toBe(true);
  });

  test.each([
    ['another host name', () => ({ host: '127.0.0.1', sslrootcert: trusted }), 'tls-refused', /not for "127.0.0.1" but for DNS:localhost/],
    ['another authority', () => ({ host: 'localhost', sslrootcert: unknown }), 'tls-refused', /issued its certificate is not the one in/],
    ['no authority named', () => ({ host: 'localhost' }), 'tls-refused', /name its file as sslrootcert/],
    [
      'a file that is not there',
      () => ({ host: 'localhost', sslrootcert: '/nowhere/ca.pem' }),
      'configuration-invalid',
      /\/nowhere\/ca.pem/,
    ],
  ])('%s is refused, and the message says what to do', async (_what, server, code, words) => {
    const refused = describeIt(serversOf(secured, server()));
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
  });

  test('a certificate that has expired, or is not valid yet', async () => {
    onTestFinished(async () => await useCertificate({}));
    const servers = serversOf(secured, { host: 'localhost', sslrootcert: trusted });
    const hour = 3_600_000;
    await useCertificate({ until: new Date(Date.now() - hour) });
    await eventually(async () => (await messageOf(describeIt(servers))).includes('expired') || undefined);
    await useCertificate({ from: new Date(Date.now() + hour) });
    await eventually(async () => (await messageOf(describeIt(servers))).includes('not valid yet') || undefined);
  });

  test('a server without TLS', async () => {
    const refused = describeIt(serversOf(plain, { host: 'localhost', sslrootcert: trusted }));
    await expect(refused).rejects.toMatchObject({ code: 'tls-refused', message: expect.stringContaining('offers no TLS') });
  });
});

async function useCertificate(valid: { from?: Date; until?: Date }): Promise<void> {
  await writeCertificate(secured.directory, ours.issue(['localhost'], valid));
  await inDatabase(secured, 'postgres', 'SELECT pg_reload_conf()');
}

async function messageOf(act: Promise<unknown>): Promise<string> {
  return await act.then(
    () => 'it was let in',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

test('the stream is checked too: by the authority of the replication entry, on the target’s machine', async () => {
  const bench = await makeBench({ source: logged(secured), target: logged(plain), stop: async () => await Promise.resolve() }, { schema });
  bench.configure('source', (entry) => ({
    ...entry,
    server: { ...entry.server, host: 'localhost', sslmode: 'verify-full', sslrootcert: trusted },
  }));
  const { migration, facts } = await bench.prepare();
  const sides = { servers: bench.servers, migration, facts };
  const journal = createJournal();
  await publish(sides, journal.attempt('publish'));
  const replication = { user: secured.superuser, secret: { env: 'SOURCE_PASSWORD' } };
  bench.configure('source', (entry) => ({ ...entry, replication: { ...replication, sslrootcert: unknown } }));
  const refused = subscribe(sides, journal.attempt('subscribe'));
  await expect(refused).rejects.toMatchObject({ code: 'tls-refused', message: expect.stringContaining('replication.sslrootcert') });
  bench.configure('source', (entry) => ({ ...entry, replication: { ...replication, sslrootcert: trusted } }));
  await subscribe(sides, journal.attempt('subscribe'));
  const streams = await eventually(async () => {
    const { rows } = await bench.source.query<{ ssl: boolean }>(
      'SELECT ssl FROM pg_stat_ssl s JOIN pg_stat_replication r ON r.pid = s.pid WHERE r.application_name = $1',
      [journal.tag],
    );
    return rows.length > 0 ? rows : undefined;
  });
  // While tables are copied their workers have streams of their own.
  expect(streams).toEqual(streams.map(() => ({ ssl: true })));
  await bench.end();
});

const schema = 'CREATE TABLE orders (id int PRIMARY KEY)';
const logged = (cluster: Cluster) => Object.assign(cluster, { log: async () => await readFile(cluster.logFile, 'utf8') });

if (pooled) {
  test('the pooler has its own TLS, by default the server’s', async () => {
    const directory = join(root, 'pooler');
    await mkdir(directory, { mode: 0o755 });
    await giveToPostgres(directory);
    await writeCertificate(directory, ours.issue(['127.0.0.1']));
    const [port = 0] = await freePorts(1);
    const { ssl_cert_file: certificate = '', ssl_key_file: key = '' } = tlsSettings(directory);
    const bouncer = await startPgBouncer({
      directory,
      port,
      logFile: join(root, 'pooler.log'),
      pidFile: join(root, 'pooler.json'),
      databases: {},
      users: {},
      path: sandboxConfiguration().path,
      settings: { client_tls_sslmode: 'require', client_tls_cert_file: certificate, client_tls_key_file: key },
    });
    onTestFinished(async () => await bouncer.stop());
    const password = (await readFile(bouncer.adminPasswordFile, 'utf8')).trim();
    const pooler = { kind: 'pgbouncer', port, alias: 'orders', configFile: bouncer.configFile, admin: { user: bouncer.adminUser } };
    const open = async (server: object, tls: object): Promise<void> => {
      const entry = inventoryOf(secured, { host: 'localhost', ...server }, { pooler: { ...pooler, ...tls } }).databases['orders'];
      if (!entry?.pooler) throw new Error('the inventory has a pooler');
      await (await openConsole(entry.pooler, password)).end();
    };
    const byDefault = { sslrootcert: trusted };
    await open(byDefault, { host: '127.0.0.1' });
    await expect(open(byDefault, { host: 'localhost' })).rejects.toMatchObject({ code: 'tls-refused' });
    await expect(open(byDefault, { host: '127.0.0.1', sslmode: 'disable' })).rejects.toMatchObject({ code: 'pooler-failed' });
    await open({ sslrootcert: unknown }, { host: '127.0.0.1', sslmode: 'require' });
    await open({ sslrootcert: unknown }, { host: '127.0.0.1', sslrootcert: trusted });
  });
}
