import { ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backupCommands } from '../../../../activities/backup/commands.ts';
import type { Provider } from '../../../../activities/providers/provider.ts';
import { createJournal, newRunId } from '../../../support/attempt.ts';
import { eventually } from '../../../support/eventually.ts';
import { home, password, startRds, type RdsWorld } from '../../../support/providers/rds.ts';
import { settled } from '../../../support/settled.ts';
import { factsOf } from './facts.ts';

let world: RdsWorld;
let verbs: Required<Provider>;
beforeAll(async () => {
  world = await startRds();
  // Its suite holds that all groups are there.
  verbs = world.provider as Required<Provider>;
}, 120_000);
afterAll(async () => await world?.stop());

const id = 'prod/orders/steadyhand';
const next = 'the-next-password-1';

/** What logging in to that place ends with. */
async function login(at?: { host: string; port: number }): Promise<string> {
  return await world.servers.open('orders', { purpose: 'look', ...(at ? { at } : {}) }).then(
    async (session) => {
      await session.end();
      return 'in';
    },
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'no failure'),
  );
}

test('a restored instance gets the main password of the secret store, by which Steadyhand logs in', { timeout: 240_000 }, async () => {
  const secrets = new SecretsManagerClient({ region: home, endpoint: world.aws.endpoint, credentials: world.aws.credentials });
  await secrets.send(new CreateSecretCommand({ Name: id, SecretString: JSON.stringify({ username: 'master', password }) }));
  const secret = { secretsManager: id, region: home, field: 'password' };
  world.configure((entry) => ({ ...entry, server: { ...entry.server, secret } }));
  expect(await login()).toBe('in');
  const shots = createJournal(`backup-now/orders/${newRunId()}`);
  const facts = await factsOf(world);
  await settled(shots, 'ready', (attempt) => verbs.restore.awaitReady(facts, attempt));
  await verbs.backup.createSnapshot(facts, shots.attempt('snapshot'));
  const shot = await settled(shots, 'made', (attempt) => verbs.backup.awaitSnapshot(facts, 'source', attempt));

  // The password goes on after the snapshot was taken.
  await settled(shots, 'ready', (attempt) => verbs.restore.awaitReady(facts, attempt));
  await world
    .client()
    .send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'orders', MasterUserPassword: next, ApplyImmediately: true }));
  await secrets.send(new PutSecretValueCommand({ SecretId: id, SecretString: JSON.stringify({ username: 'master', password: next }) }));
  await eventually(async () => ((await login()) === 'in' ? true : undefined), 60_000);

  const journal = createJournal(`pitr-restore/orders/${newRunId()}`);
  const restoring = await factsOf(world, { from: { kind: 'snapshot', id: shot.id } });
  await verbs.restore.restoreFromSnapshot(restoring, journal.attempt('restore'));
  const restored = await settled(journal, 'available', (attempt) => verbs.restore.awaitAvailable(restoring, attempt));
  expect(await login(restored)).toBe('login-refused');
  await verbs.settings.setMainPassword(restoring, journal.attempt('password'));
  await settled(journal, 'available', (attempt) => verbs.restore.awaitAvailable(restoring, attempt));
  expect(await login(restored)).toBe('in');

  expect(backupCommands(restoring).setMainPassword(restoring)[0]?.text).toContain('--master-user-password :password');
  expect(JSON.stringify([...journal.intents, ...journal.outcomes])).not.toContain(next);
  world.configure((entry) => ({ ...entry, server: { ...entry.server, user: 'steadyhand' } }));
  await expect(verbs.settings.setMainPassword(restoring, journal.attempt('password'))).rejects.toMatchObject({ code: 'plan-impossible' });
});

test('a secret that is not there, and one without the field, are said so without a word of it', async () => {
  const refused = async (secret: { secretsManager: string; region: string; field?: string }): Promise<string> =>
    await world.servers.secret(secret).then(
      () => Promise.reject(new Error('it was found')),
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
  expect(await refused({ secretsManager: 'missing', region: home })).toContain('secretsmanager:GetSecretValue in eu-central-1 for missing');
  const message = await refused({ secretsManager: id, region: home, field: 'pass' });
  expect(message).toBe(`the secret ${id} in eu-central-1 has no text in a field "pass"`);
});
