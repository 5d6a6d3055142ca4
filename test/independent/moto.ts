import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  CreateDBSnapshotCommand,
  CreateDBSubnetGroupCommand,
  ModifyDBParameterGroupCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { createAws, type Aws } from '../../activities/aws/aws.ts';
import type { AwsCalls } from '../../activities/aws/calls.ts';
import { createRdsProvider } from '../../activities/providers/rds/create-rds-provider.ts';
import type { Provider } from '../../activities/providers/provider.ts';
import { freePorts } from '../../sandbox/free-ports.ts';
import { createServers } from '../../activities/postgres/session.ts';
import { createJournal, newRunId, type JournalAttempt } from '../support/attempt.ts';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/settled.ts';
import { run } from './run.ts';

const version = '5.2.5';
const [home, abroad] = ['eu-central-1', 'eu-west-1'];

/** The program, in an environment of its own in the cache; made once. */
async function installMoto(cache: string): Promise<string> {
  await mkdir(cache, { recursive: true });
  const folder = join(cache, `moto-${version}`);
  const program = join(folder, 'bin', 'moto_server');
  if (existsSync(program)) return program;
  await rm(folder, { recursive: true, force: true });
  const made = await run('python3', ['-m', 'venv', folder], { cwd: cache });
  const pip = made === 0 ? await run(join(folder, 'bin', 'pip'), ['install', '--quiet', `moto[server]==${version}`], { cwd: cache }) : made;
  if (pip === 0) return program;
  await rm(folder, { recursive: true, force: true });
  throw new Error('moto could not be installed: Python 3.10 or newer with its venv module, and PyPI, are needed');
}

/**
 * The verbs of the provider `rds`, as the activities call them, against moto, which others wrote: our calls parse, and its answers
 * and errors are understood. It does not model RDS: docs/providers.md says what it does otherwise. Answers how many verbs held.
 */
export async function holdAgainstMoto(cache: string, folder: string): Promise<number> {
  const program = await installMoto(cache);
  const [port = 0] = await freePorts(1);
  const log = await open(join(folder, 'moto.log'), 'w');
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: ['ignore', log.fd, log.fd], cwd: folder });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const endpoint = `http://127.0.0.1:${port}`;
    await eventually(async () => ((await fetch(`${endpoint}/moto-api/data.json`)).ok ? true : undefined), 30_000, 100);
    for (const service of ['RDS', 'KMS', 'CLOUDWATCH']) process.env[`AWS_ENDPOINT_URL_${service}`] = endpoint;
    process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'testing';
    return await holdVerbs(await worldAt(endpoint));
  } finally {
    child.kill();
    await ended;
    await log.close();
  }
}

async function worldAt(endpoint: string): Promise<Required<Provider>> {
  const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };
  for (const region of [home, abroad]) {
    const client = new RDSClient({ region, endpoint, credentials });
    const group = { DBParameterGroupName: 'quarantine-16', DBParameterGroupFamily: 'postgres16', Description: 'for tests' };
    await client.send(new CreateDBParameterGroupCommand(group));
    const value = { ParameterName: 'max_logical_replication_workers', ParameterValue: '0', ApplyMethod: 'pending-reboot' as const };
    await client.send(new ModifyDBParameterGroupCommand({ DBParameterGroupName: 'quarantine-16', Parameters: [value] }));
  }
  const subnets = {
    DBSubnetGroupName: 'default',
    DBSubnetGroupDescription: 'for tests',
    SubnetIds: await networkOf(endpoint, 'DescribeSubnets', 'subnetId'),
  };
  await new RDSClient({ region: abroad, endpoint, credentials }).send(new CreateDBSubnetGroupCommand(subnets));
  const key = await new KMSClient({ region: abroad, endpoint, credentials }).send(new CreateKeyCommand({}));
  await new RDSClient({ region: home, endpoint, credentials }).send(new CreateDBInstanceCommand(ordinary));
  const securityGroups = (await networkOf(endpoint, 'DescribeSecurityGroups', 'groupId')).slice(0, 1);
  await new RDSClient({ region: home, endpoint, credentials }).send(
    new CreateDBSnapshotCommand({ DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'last' }),
  );
  const quarantine = { parameterGroup: 'quarantine-16', securityGroups };
  const dr = {
    region: abroad,
    key: key.KeyMetadata?.KeyId,
    parameterGroup: 'quarantine-16',
    subnetGroup: 'default',
    securityGroups,
    quarantine,
  };
  const server = { host: 'nowhere', port: 5432, dbname: 'shop', user: 'master', sslmode: 'disable' as const };
  const orders = {
    provider: 'rds' as const,
    owners: 'dba',
    policy: 'default',
    server,
    rds: { instance: 'orders', region: home, quarantine, dr },
  };
  const servers = createServers(() => ({ version: 1, people: [], databases: { orders }, policies: {} }), {});
  // Its suite holds that all groups are there.
  return createRdsProvider(servers, answeringForMoto(createAws()), { lookAgainMs: 20, graceMs: 2_000 }) as Required<Provider>;
}

/** moto makes a network in each region; it looks at no signature. */
async function networkOf(endpoint: string, action: string, element: string): Promise<string[]> {
  const credential = `Credential=testing/20260101/${abroad}/ec2/aws4_request`;
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=none`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: `Action=${action}&Version=2016-11-15`,
  });
  return [...(await answer.text()).matchAll(new RegExp(`<${element}>([^<]+)<`, 'g'))].map(([, id = '']) => id);
}

/** What moto does not know at all. */
const unknown: Readonly<Record<string, unknown>> = {
  'rds:DescribeDBEngineVersions': { DBEngineVersions: [{ EngineVersion: '16.4' }] },
  'rds:DescribeAccountAttributes': { AccountQuotas: [] },
};

function answeringForMoto(aws: Aws): Aws {
  return {
    call: async (region, action, input, subject, by) => {
      // Only what the verbs read of such an answer is in it.
      if (Object.hasOwn(unknown, action)) return unknown[action] as never;
      if (action !== 'rds:DescribeDBInstances') return await aws.call(region, action, input, subject, by);
      // The input is that of this very action.
      return (await withIdentities(aws, region, input as AwsCalls['rds:DescribeDBInstances'][0])) as never;
    },
  };
}

/** All of moto's instances have one DbiResourceId: here it is made of when each was created, which stays through a rename. */
async function withIdentities(
  aws: Aws,
  region: string,
  { Filters = [], ...input }: AwsCalls['rds:DescribeDBInstances'][0],
): Promise<AwsCalls['rds:DescribeDBInstances'][1]> {
  const [byIdentity] = Filters.filter(({ Name }) => Name === 'dbi-resource-id');
  const left = Filters.filter((filter) => filter !== byIdentity);
  const answer = await aws.call(region, 'rds:DescribeDBInstances', left.length > 0 ? { ...input, Filters: left } : input);
  const told = (answer.DBInstances ?? []).map((one) => ({ ...one, DbiResourceId: `db-${one.InstanceCreateTime?.toISOString() ?? ''}` }));
  return { ...answer, DBInstances: told.filter((one) => byIdentity?.Values?.includes(one.DbiResourceId) ?? true) };
}

async function holdVerbs({ backup, restore, copy, remove, swap, settings, storage, owned }: Required<Provider>): Promise<number> {
  let held = 0;
  const hold = async <Result>(verb: string, act: () => Promise<Result>): Promise<Result> => {
    const result = await act();
    held += 1;
    console.log(`moto: ${verb} holds`);
    return result;
  };
  const journal = createJournal(`dr-snapshot-copy/orders/${newRunId()}`);
  const facts = await hold('inspect', () =>
    restore.inspect({ database: 'orders', run: journal.run, copy: 'new', from: { kind: 'own-copy' } }),
  );
  const step = async <Result>(
    verb: string,
    name: string,
    act: (attempt: JournalAttempt) => Promise<Result>,
    undo = false,
  ): Promise<Result> => await hold(verb, () => settled(journal, name, act, { undo }));
  await step('awaitReady', 'ready', (attempt) => restore.awaitReady(facts, attempt));
  await step('createSnapshot', 'snapshot', (attempt) => backup.createSnapshot(facts, attempt));
  await step('createSnapshot, adopted', 'snapshot', (attempt) => backup.createSnapshot(facts, attempt));
  await step('awaitSnapshot', 'made', (attempt) => backup.awaitSnapshot(facts, 'source', attempt));
  await hold('listBackups', () => backup.listBackups('orders'));
  await step('copySnapshot', 'copy', (attempt) => copy.copySnapshot(facts, attempt));
  await step('awaitCopy', 'copied', (attempt) => backup.awaitSnapshot(facts, 'copy', attempt));
  await step('restoreFromSnapshot', 'drill', (attempt) => restore.restoreFromSnapshot(facts, attempt));
  await step('awaitAvailable', 'available', (attempt) => restore.awaitAvailable(facts, attempt));
  await hold('owned.list', async () => {
    const { objects, unseen } = await owned.list('orders');
    const found = objects.map(({ kind, region, run, step: by }) => `${kind} ${region} ${run === journal.run} ${by}`);
    const expected = [`instance ${abroad} true drill`, `snapshot ${home} true snapshot`, `snapshot ${abroad} true copy`];
    if (unseen.length > 0 || found.toSorted().join() !== expected.toSorted().join()) throw new Error([...found, ...unseen].join('; '));
  });
  await step('applySettings', 'settings', (attempt) => settings.applySettings(facts, attempt));
  const differences = await step('compareSettings', 'compare', (attempt) => settings.compareSettings(facts, attempt));
  // The copy is encrypted with the other region's key; everything else is as on the source.
  const unlike = differences.map(({ setting }) => setting).join(', ');
  if (unlike !== 'KmsKeyId') throw new Error(`the key alone is to differ, not: ${unlike}`);
  await step('deleteRestored', 'drill', (attempt) => remove.deleteRestored(facts, attempt), true);
  await step('deleteRestored, gone', 'drill', (attempt) => remove.deleteRestored(facts, attempt), true);
  await step('deleteCopy', 'copy', (attempt) => copy.deleteCopy(facts, attempt), true);
  await step('deleteSnapshot', 'snapshot', (attempt) => backup.deleteSnapshot(facts, attempt), true);
  await holdMoment({ restore, remove, hold });
  await holdSwap({ restore, remove, swap, hold });
  await hold('freeStorage', () => storage.freeStorage('orders'));
  await hold('inspectOld', async () => {
    const asked = remove.inspectOld({ database: 'orders', instance: 'orders', early: false });
    const refused = await asked.then(() => 'it was not', String);
    if (!refused.includes('does not bear the tags of a switch-over')) throw new Error(`it is to be refused: ${refused}`);
  });
  await step('deleteInstance', 'remove', (attempt) => remove.deleteInstance(facts, attempt, () => Promise.resolve()));
  await step('awaitLast', 'last', (attempt) => remove.awaitLast(facts, attempt));
  return held;
}

type Hold = <Result>(verb: string, act: () => Promise<Result>) => Promise<Result>;

async function holdMoment({ restore, remove, hold }: Pick<Required<Provider>, 'restore' | 'remove'> & { hold: Hold }): Promise<void> {
  const journal = createJournal(`pitr-restore/orders/${newRunId()}`);
  const looked = await hold('inspect', () =>
    restore.inspect({ database: 'orders', run: journal.run, from: { kind: 'snapshot', id: 'last' } }),
  );
  // moto tells no window of its backups, so the moment stands in the facts without having been held against one.
  const at = new Date(Date.now() - 2_000).toISOString();
  const facts = { ...looked, binding: { ...looked.binding, restore: { from: { kind: 'moment', at } as const, region: home } } };
  await hold('awaitRestorable', () => restore.awaitRestorable(facts, journal.attempt('wait')));
  await hold('restoreToPointInTime', () => restore.restoreToPointInTime(facts, journal.attempt('restore')));
  await hold('deleteRestored', () => settled(journal, 'restore', (attempt) => remove.deleteRestored(facts, attempt), { undo: true }));
}

/** There and back: names and tags are modelled by moto, endpoints and restarts are not. */
async function holdSwap({
  restore,
  remove,
  swap,
  hold,
}: Pick<Required<Provider>, 'restore' | 'remove' | 'swap'> & { hold: Hold }): Promise<void> {
  const journal = createJournal(`pitr-restore/orders/${newRunId()}`);
  const from = { kind: 'snapshot', id: 'last' } as const;
  const facts = await hold('inspect', () => restore.inspect({ database: 'orders', run: journal.run, from, keepOldDays: 7 }));
  await hold('restoreFromSnapshot', () => restore.restoreFromSnapshot(facts, journal.attempt('restore')));
  for (const verb of ['renameSource', 'renameRestored', 'awaitNamed', 'openRestored'] as const) {
    await hold(verb, () => settled<unknown>(journal, verb, (attempt) => swap[verb](facts, attempt)));
  }
  for (const [verb, of] of [
    ['closeRestored', 'openRestored'],
    ['nameRestoredBack', 'renameRestored'],
    ['nameSourceBack', 'renameSource'],
  ] as const) {
    await hold(verb, () => settled(journal, of, (attempt) => swap[verb](facts, attempt), { undo: true }));
  }
  await hold('deleteRestored', () => settled(journal, 'restore', (attempt) => remove.deleteRestored(facts, attempt), { undo: true }));
}

const ordinary = {
  DBInstanceIdentifier: 'orders',
  Engine: 'postgres',
  EngineVersion: '16.4',
  DBInstanceClass: 'db.t4g.micro',
  AllocatedStorage: 20,
  MasterUsername: 'master',
  MasterUserPassword: 'correct-horse-battery',
  DBName: 'shop',
  BackupRetentionPeriod: 7,
  StorageEncrypted: true,
};
