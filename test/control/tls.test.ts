import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createControl } from '../../control/control.ts';
import { migrate } from '../../control/migrate.ts';
import type { Failure } from '../../domain/failure.ts';
import { withSuperuser } from '../../sandbox/application/application.ts';
import { giveToPostgres } from '../../sandbox/postgres-user.ts';
import { startCluster, type Cluster } from '../../sandbox/postgres.ts';
import { createAuthority } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { tlsSettings, writeAuthority, writeCertificate } from '../support/tls-server.ts';
import { failureOf } from './support.ts';

const ours = createAuthority('the authority of the test');
const theirs = createAuthority('another authority');
/** The application's role comes by TLS with a certificate only; the superuser and the owner as they like. */
const rules = `hostssl all steadyhand_app all scram-sha-256 clientcert=verify-ca
host all steadyhand_app all reject
host all all 127.0.0.1/32 scram-sha-256
`;

let root: string;
let server: Cluster;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'steadyhand-control-tls-'));
  await chmod(root, 0o755);
  const directory = join(root, 'server');
  await mkdir(directory, { mode: 0o755 });
  const authority = await writeAuthority(root, ours);
  await writeAuthority(root, theirs, 'another.pem');
  await writeCertificate(directory, ours.issue(['localhost']));
  for (const [name, { certificate, key }] of [
    ['client', ours.issue(['api'])],
    ['stranger', theirs.issue(['api'])],
  ] as const) {
    await writeFile(join(root, `${name}.pem`), certificate);
    await writeFile(join(root, `${name}.key`), key, { mode: 0o600 });
  }
  const settings = { fsync: 'off', ...tlsSettings(directory), ssl_ca_file: authority };
  server = await startCluster({ name: 'control', major: 18, directory, settings });
  await withSuperuser(server, 'postgres', async (client) => {
    await client.query("CREATE ROLE steadyhand_owner LOGIN CREATEROLE PASSWORD 'o'; CREATE ROLE steadyhand_app LOGIN PASSWORD 'a'");
    await client.query('CREATE DATABASE control OWNER steadyhand_owner');
  });
  await migrate({
    connectionString: address('steadyhand_owner', 'localhost', { sslmode: 'verify-full', sslrootcert: 'ca.pem' }),
    password: 'o',
  });
  const file = join(server.dataDirectory, 'pg_hba.conf');
  await writeFile(file, rules);
  await giveToPostgres(file);
  await change('SELECT pg_reload_conf()');
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

const change = async (statement: string): Promise<void> =>
  await withSuperuser(server, 'postgres', async (client) => void (await client.query(statement)));

/** Files are named by their names below the test's folder. */
function address(role: string, host: string, words: Readonly<Record<string, string>>): string {
  const url = new URL(`postgres://${role}@${host}:${server.port}/control`);
  for (const [word, value] of Object.entries(words)) url.searchParams.set(word, word === 'sslmode' ? value : join(root, value));
  return url.href;
}

const verified = { sslmode: 'verify-full', sslrootcert: 'ca.pem' };
const known = { ...verified, sslcert: 'client.pem', sslkey: 'client.key' };

async function ping(host: string, words: Readonly<Record<string, string>>): Promise<void> {
  const control = createControl({ connectionString: address('steadyhand_app', host, words), password: 'a', applicationName: 'tls test' });
  try {
    await control.ping();
    expect(await sessions()).toEqual([{ ssl: true, certified: true }]);
  } finally {
    await control.close();
  }
}

/** As the server sees them. */
async function sessions(): Promise<unknown[]> {
  return await withSuperuser(server, 'postgres', async (client) => {
    const asked =
      "SELECT s.ssl, s.client_dn IS NOT NULL AS certified FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'tls test'";
    return (await client.query<object>(asked)).rows;
  });
}

const refusal = async (host: string, words: Readonly<Record<string, string>>): Promise<Failure> =>
  await failureOf('control-database-unavailable', ping(host, words));

test('with the authority, a name that the certificate is made for and a certificate of its own the connection stands', async () => {
  await ping('localhost', known);
});

test('another authority, another name: refused, with what to do', async () => {
  expect((await refusal('localhost', { ...known, sslrootcert: 'another.pem' })).message).toMatch(
    /localhost.*not the one in .*another\.pem/,
  );
  expect((await refusal('127.0.0.1', known)).message).toMatch(/not for "127\.0\.0\.1" but for DNS:localhost\. Write a host/);
});

test('without a certificate, with a stranger’s, and without TLS the server lets nobody in', async () => {
  expect((await refusal('localhost', verified)).message).toContain('certificate');
  expect((await refusal('localhost', { ...known, sslcert: 'stranger.pem', sslkey: 'stranger.key' })).message).toMatch(
    /unknown ca|certificate/i,
  );
  expect((await refusal('localhost', {})).message).toContain('reject');
});

test('a server that offers no TLS gets no password', async () => {
  await change('ALTER SYSTEM SET ssl = off');
  await change('SELECT pg_reload_conf()');
  const off = async (): Promise<true | undefined> =>
    (await refusal('localhost', known)).message.includes('the server offers no TLS') ? true : undefined;
  try {
    expect(await eventually(off, 10_000)).toBe(true);
  } finally {
    await change('ALTER SYSTEM RESET ssl');
    await change('SELECT pg_reload_conf()');
  }
});

test('a certificate that was exchanged counts from the next connection on', async () => {
  await writeCertificate(join(root, 'server'), theirs.issue(['localhost']));
  await change('SELECT pg_reload_conf()');
  const exchanged = async (): Promise<true | undefined> => {
    await ping('localhost', { ...known, sslrootcert: 'another.pem' });
    return true;
  };
  expect(await eventually(async () => await exchanged().catch(() => undefined), 10_000)).toBe(true);
  expect((await refusal('localhost', known)).message).toMatch(/not the one in .*ca\.pem/);
});
