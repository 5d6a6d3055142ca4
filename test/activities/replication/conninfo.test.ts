import { expect, test } from 'vitest';
import { conninfo, replicationLogin } from '../../../activities/replication/conninfo.ts';
import type { DatabaseEntry } from '../../../domain/inventory.ts';

const entry: DatabaseEntry = {
  provider: 'streaming',
  owners: 'dba',
  policy: 'default',
  server: { host: 'db.internal', port: 5432, dbname: `we'ird \\db`, user: 'steadyhand', sslmode: 'verify-full' },
};

test('quotes every value the way libpq reads it', () => {
  expect(conninfo(replicationLogin(entry, `it's a \\ "secret"`, 'steadyhand_01'))).toBe(
    `host='db.internal' port='5432' dbname='we\\'ird \\\\db' user='steadyhand' password='it\\'s a \\\\ "secret"' sslmode='verify-full' application_name='steadyhand_01' connect_timeout='10'`,
  );
});

test('takes the inventory’s replication entry, and with a password file no password', () => {
  const replication = { user: 'streamer', host: '10.0.0.1', port: 6543, passfile: '/var/lib/postgresql/.pgpass' };
  expect(conninfo(replicationLogin({ ...entry, replication }, 'never', 'steadyhand_01'))).toBe(
    `host='10.0.0.1' port='6543' dbname='we\\'ird \\\\db' user='streamer' passfile='/var/lib/postgresql/.pgpass' sslmode='verify-full' application_name='steadyhand_01' connect_timeout='10'`,
  );
});

test('has the TLS of the replication entry; the server’s own authority is a file of another machine', () => {
  const server = { ...entry.server, sslrootcert: '/of/the/worker.pem' };
  const tls = (replication: object): string =>
    conninfo(replicationLogin({ ...entry, server, replication: { user: 'streamer', ...replication } }, 'x', 't')).match(
      /sslmode.*(?= app)/,
    )?.[0] ?? '';
  expect(tls({})).toBe(`sslmode='verify-full'`);
  expect(tls({ sslmode: 'require' })).toBe(`sslmode='require'`);
  expect(tls({ sslrootcert: '/of/the/target.pem' })).toBe(`sslmode='verify-full' sslrootcert='/of/the/target.pem'`);
});
