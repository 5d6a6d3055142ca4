import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateDBParameterGroupCommand,
  CreateDBSnapshotCommand,
  ModifyDBInstanceCommand,
  type ModifyDBInstanceCommandInput,
  ModifyDBParameterGroupCommand,
  RebootDBInstanceCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { awsPlace, home, type AwsPlace } from './place.ts';

const [byDefault, chosen, largest] = ['rds-ca-rsa2048-g1', 'rds-ca-ecc384-g1', 'rds-ca-rsa4096-g1'];

let place: AwsPlace;
beforeAll(async () => {
  place = await awsPlace();
  const group = { DBParameterGroupName: 'own', DBParameterGroupFamily: 'postgres16', Description: 'for the tests' };
  await place.rds.send(new CreateDBParameterGroupCommand(group));
  await Promise.all([place.create('orders', { CACertificateIdentifier: chosen }), place.create('others', { DBParameterGroupName: 'own' })]);
}, 60_000);
afterAll(() => place.end());

const nameOf = (id: string): string => `${id}.steadyhand.${home}.rds.amazonaws.com`;
const root = async (authority: string): Promise<string> => await readFile(place.aws.root(home, authority), 'utf8');

/** How a client with `verify-full` fares that trusts this authority alone: `served`, or why it was refused. */
async function verified(id: string, authority: string, servername?: string): Promise<string> {
  const connecting = place.connect(id, { ca: await root(authority), ...(servername === undefined ? {} : { servername }) });
  return await connecting.then(
    async (client) => {
      const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      await client.end();
      return rows[0].ssl === true ? 'served' : 'not encrypted';
    },
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
}

async function modify(change: Partial<ModifyDBInstanceCommandInput>): Promise<void> {
  await place.rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'orders', ApplyImmediately: true, ...change }));
}

/** What AWS says that it serves, which is not what it is to serve while a restart is outstanding. */
const details = async (id: string): Promise<unknown> => (await place.describe(id)).CertificateDetails;
const issuedBy = (CAIdentifier: string) => ({ CAIdentifier, ValidTill: expect.any(Date) });

const unknownIssuer = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';

it('an instance has a certificate of its own authority, for the name of its endpoint and for its address', async () => {
  for (const [id, own, other] of [
    ['orders', chosen, byDefault],
    ['others', byDefault, chosen],
  ] as const) {
    expect([id, await verified(id, own), await verified(id, own, nameOf(id))]).toEqual([id, 'served', 'served']);
    expect([id, await verified(id, other)]).toEqual([id, unknownIssuer]);
    expect(await details(id)).toEqual(issuedBy(own));
    expect([id, await verified(id, own, nameOf('another'))]).toEqual([id, 'ERR_TLS_CERT_ALTNAME_INVALID']);
  }
  const [bundle, roots] = [await readFile(place.aws.bundle, 'utf8'), await Promise.all([root(chosen), root(byDefault)])];
  for (const one of roots) expect(bundle).toContain(one);
});

it('rds.force_ssl refuses clients without TLS, as long as it is on, and with it no restart is needed', async () => {
  const force = async (ParameterValue: string): Promise<void> => {
    const value = { ParameterName: 'rds.force_ssl', ParameterValue, ApplyMethod: 'immediate' as const };
    await place.rds.send(new ModifyDBParameterGroupCommand({ DBParameterGroupName: 'own', Parameters: [value] }));
  };
  await force('1');
  const refused = async (): Promise<true | undefined> =>
    await place.query('others', 'SELECT 1').then(
      () => undefined,
      (error: unknown) => (error instanceof Error && 'code' in error && error.code === '28000') || undefined,
    );
  await eventually(refused);
  expect(await verified('others', byDefault)).toBe('served');
  await force('0');
  await eventually(async () => (await place.query('others', 'SELECT 1')).rows);
});

it('a restore that does not name the authority gets the default one', { timeout: 60_000 }, async () => {
  await place.rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'last' }));
  await place.reaches('orders', 'available');
  const restore = { DBSnapshotIdentifier: 'last', DBInstanceIdentifier: 'copy' };
  await place.rds.send(new RestoreDBInstanceFromDBSnapshotCommand(restore));
  await place.reaches('copy', 'available');
  expect(await place.describe('copy')).toMatchObject({ CACertificateIdentifier: byDefault });
  expect([await verified('copy', byDefault, nameOf('copy')), await verified('copy', chosen)]).toEqual(['served', unknownIssuer]);
});

it('a private key is in no file but the state and the instance’s own one, and both are for their owner alone', () => {
  const folder = place.directory;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  const withKeys = paths.filter((path) => readFileSync(path, 'latin1').includes('PRIVATE KEY'));
  const named = withKeys.map((path) => path.slice(folder.length + 1).replace(/db-[A-Z0-9]+/, 'one'));
  expect(named.toSorted()).toEqual(['instances/one/server.pem', 'instances/one/server.pem', 'instances/one/server.pem', 'state.json']);
  expect(withKeys.map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(['600', '600', '600', '600']);
});

it('another authority restarts the instance; without the restart its certificate waits for the next one', { timeout: 60_000 }, async () => {
  await modify({ CACertificateIdentifier: largest, ApplyImmediately: false });
  expect(await place.describe('orders')).toMatchObject({
    CACertificateIdentifier: chosen,
    PendingModifiedValues: { CACertificateIdentifier: largest },
  });
  const open = await place.connect('orders');
  await modify({ CACertificateIdentifier: largest });
  await place.reaches('orders', 'available');
  await expect(open.query('SELECT 1')).rejects.toThrow();
  expect([await verified('orders', largest), await verified('orders', chosen)]).toEqual(['served', unknownIssuer]);

  const kept = await place.connect('orders');
  await modify({ CACertificateIdentifier: chosen, CertificateRotationRestart: false });
  await place.reaches('orders', 'available');
  await kept.query('SELECT 1');
  expect(await place.describe('orders')).toMatchObject({ CACertificateIdentifier: chosen });
  expect([await verified('orders', chosen), await verified('orders', largest)]).toEqual([unknownIssuer, 'served']);
  expect(await details('orders')).toEqual(issuedBy(largest));
  await place.rds.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: 'orders' }));
  await place.reaches('orders', 'available');
  expect([await verified('orders', chosen), await verified('orders', largest)]).toEqual(['served', unknownIssuer]);
  expect(await details('orders')).toEqual(issuedBy(chosen));
});

it('the certificate of a renamed instance is for its new endpoint, and of the same authority', { timeout: 60_000 }, async () => {
  await place.rds.send(
    new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'copy', NewDBInstanceIdentifier: 'renamed', ApplyImmediately: true }),
  );
  await place.reaches('renamed', 'available');
  expect(await verified('renamed', byDefault, nameOf('renamed'))).toBe('served');
  expect(await verified('renamed', byDefault, nameOf('copy'))).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
});
