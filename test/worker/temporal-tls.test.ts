import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { Failure } from '../../domain/failure.ts';
import { connectTemporal } from '../../temporal/connect.ts';
import { readConfig, type Config } from '../../worker/config.ts';
import { connectNative } from '../../worker/connect-native.ts';
import { createAuthority } from '../support/certificates.ts';

const ours = createAuthority('the authority of the test');
const theirs = createAuthority('another authority');

let folder: string;
let port: number;
const sockets = new Set<Socket>();
const own = ours.issue(['localhost']);
/** TLS in front of the tests' Temporal, as a load balancer has it: clients show a certificate of our authority. */
const front = createServer(
  { ALPNProtocols: ['h2'], cert: own.certificate, key: own.key, ca: ours.certificate, requestCert: true, rejectUnauthorized: true },
  (client) => {
    const [host = '', behind = ''] = inject('temporalAddress').split(':');
    const upstream = connect(Number(behind), host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  },
);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'steadyhand-temporal-tls-'));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 });
  for (const [name, authority] of Object.entries({ ours, theirs })) {
    const { certificate, key } = authority.issue(['worker']);
    write(`${name}-ca.pem`, authority.certificate);
    write(`${name}.pem`, certificate);
    write(`${name}.key`, key);
  }
  front.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => {
    front.listen(0, '127.0.0.1', resolve);
  });
  const address = front.address();
  if (address === null || typeof address === 'string') throw new Error('the front has no port');
  ({ port } = address);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => {
    front.close(resolve);
  });
  rmSync(folder, { recursive: true });
});

/** As the environment has it; files by their names. */
function configured(host: string, tls: Readonly<Record<string, string>>): Config {
  const words = Object.entries(tls).map(([name, value]) => [`TEMPORAL_TLS_${name}`, name.endsWith('_PATH') ? join(folder, value) : value]);
  return readConfig({
    STEADYHAND_INVENTORY: 'steadyhand.yaml',
    STEADYHAND_CONTROL_URL: 'postgres://app@db/control',
    TEMPORAL_ADDRESS: `${host}:${port}`,
    ...Object.fromEntries(words),
  });
}

/** As the API and the host commands connect, then as the workers do. */
async function both(config: Config): Promise<void> {
  const client = await connectTemporal(config.temporal);
  await client.connection.close();
  const native = await connectNative(config);
  await native.close();
}

async function refusals(config: Config): Promise<string[]> {
  const tries = [async () => await connectTemporal(config.temporal), async () => await connectNative(config)];
  return await Promise.all(
    tries.map(async (attempt) => {
      const error: unknown = await attempt().catch((thrown: unknown) => thrown);
      if (!(error instanceof Failure)) throw new Error('it went through', { cause: error });
      expect(error.code).toBe('temporal-unavailable');
      return error.message;
    }),
  );
}

const certificate = { CLIENT_CERT_PATH: 'ours.pem', CLIENT_KEY_PATH: 'ours.key' };

test('with the authority and a certificate of its own each connects', async () => {
  await both(configured('localhost', { SERVER_CA_CERT_PATH: 'ours-ca.pem', ...certificate }));
});

test('at another name than the certificate’s, when it is told which one to expect', async () => {
  await both(configured('127.0.0.1', { SERVER_CA_CERT_PATH: 'ours-ca.pem', SERVER_NAME: 'localhost', ...certificate }));
});

test.each([
  ['an authority that did not issue it', 'localhost', { SERVER_CA_CERT_PATH: 'theirs-ca.pem', ...certificate }],
  ['a name that the certificate is not made for', '127.0.0.1', { SERVER_CA_CERT_PATH: 'ours-ca.pem', ...certificate }],
  ['no certificate of its own', 'localhost', { SERVER_CA_CERT_PATH: 'ours-ca.pem' }],
  [
    'a stranger’s certificate',
    'localhost',
    { SERVER_CA_CERT_PATH: 'ours-ca.pem', CLIENT_CERT_PATH: 'theirs.pem', CLIENT_KEY_PATH: 'theirs.key' },
  ],
  ['no TLS', 'localhost', {}],
])('%s: neither connects', async (_, host, tls) => {
  const said = Object.keys(tls).length === 0 ? 'TLS is off: if the server wants it' : 'TLS is on: the authority, the name';
  for (const message of await refusals(configured(host, tls))) expect(message).toContain(said);
});

test('half a pair and a file that is not there are refused before', () => {
  expect(() => configured('localhost', { CLIENT_CERT_PATH: 'ours.pem' })).toThrow('certificate and key are needed together');
  expect(() => configured('localhost', { SERVER_CA_CERT_PATH: 'gone.pem' })).toThrow('gone.pem');
});
