import {
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  ModifyDBParameterGroupCommand,
  type CreateDBInstanceCommandInput,
  type DBInstance,
  RDSClient,
  DescribeDBInstancesCommand,
} from '@aws-sdk/client-rds';
import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAws } from '../../../activities/aws/aws.ts';
import { createServers, type Servers } from '../../../activities/postgres/session.ts';
import { createRdsProvider } from '../../../activities/providers/rds/create-rds-provider.ts';
import type { DatabaseEntry } from '../../../domain/inventory.ts';
import { startAws, type Aws as Sandbox, type AwsOptions } from '../../../sandbox/aws/aws.ts';
import type { ProviderWorld } from '../../contracts/provider.ts';
import { eventually } from '../eventually.ts';

export const [home, abroad] = ['eu-central-1', 'eu-west-1'];

export interface RdsWorld extends ProviderWorld {
  readonly aws: Sandbox;
  readonly servers: Servers;
  /** A client of the test's own. */
  readonly client: (region?: string) => RDSClient;
  /** How often the sandbox really did this to that. */
  effects(action: string, resource: string): number;
  instance(id: string, region?: string): Promise<DBInstance | undefined>;
  create(id: string, input?: Partial<CreateDBInstanceCommandInput>): Promise<DBInstance>;
}

export interface RdsOptions extends Partial<AwsOptions> {
  /** How the instance `orders` is made. */
  readonly source?: Partial<CreateDBInstanceCommandInput>;
}

export const password = 'correct-horse-battery';

/** The stand-in for AWS with one instance, `orders`, and the provider that is pointed at it as users point it: by the environment. */
export async function startRds(options: RdsOptions = {}): Promise<RdsWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'steadyhand-rds-'));
  await chmod(directory, 0o755);
  const aws = await startAws({
    directory,
    factor: 300,
    securityGroups: ['sg-orders', 'sg-quarantine'],
    keys: [{ region: abroad, alias: 'alias/orders' }],
    ...options,
  });
  pointAt(aws);
  const client = (region: string = home): RDSClient => new RDSClient({ region, endpoint: aws.endpoint, credentials: aws.credentials });
  const instance = async (id: string, region: string = home): Promise<DBInstance | undefined> =>
    (await client(region).send(new DescribeDBInstancesCommand({}))).DBInstances?.find((one) => one.DBInstanceIdentifier === id);
  const create = async (id: string, input: Partial<CreateDBInstanceCommandInput> = {}): Promise<DBInstance> => {
    await client().send(new CreateDBInstanceCommand({ DBInstanceIdentifier: id, ...ordinary, ...input }));
    return await eventually(async () => {
      const seen = await instance(id);
      return seen?.DBInstanceStatus === 'available' ? seen : undefined;
    }, 60_000);
  };
  await groups(client);
  const orders = await create('orders', options.source);
  let entry = entryOf(orders);
  const servers = createServers(() => ({ version: 1, people: [], databases: { orders: entry }, policies: {} }), { PASSWORD: password });
  const effects = (action: string, resource: string): number =>
    aws.effects().find((one) => one.action === action && one.resource === resource)?.count ?? 0;
  return {
    aws,
    servers,
    provider: createRdsProvider(servers, createAws(), { lookAgainMs: 50, graceMs: 4_000 }),
    database: 'orders',
    major: 16,
    configure: (change) => (entry = change(entry)),
    made: (name) =>
      aws
        .effects()
        .filter((one) => one.resource === name && /^(?:Create|Restore|Copy)/.test(one.action))
        .reduce((sum, one) => sum + one.count, 0),
    client,
    effects,
    instance,
    create,
    stop: async () => {
      await aws.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Parameter groups of both regions: one for quarantine, one to serve with. */
async function groups(client: RdsWorld['client']): Promise<void> {
  for (const region of [home, abroad]) {
    for (const called of ['quarantine-16', 'orders-16'])
      await parameterGroup(client(region), called, called.startsWith('quarantine') ? '0' : '4');
  }
}

export async function parameterGroup(client: RDSClient, called: string, workers: string, family = 'postgres16'): Promise<void> {
  const group = { DBParameterGroupName: called, DBParameterGroupFamily: family, Description: 'for tests' };
  await client.send(new CreateDBParameterGroupCommand(group));
  const value = { ParameterName: 'max_logical_replication_workers', ParameterValue: workers, ApplyMethod: 'pending-reboot' as const };
  await client.send(new ModifyDBParameterGroupCommand({ DBParameterGroupName: called, Parameters: [value] }));
}

function pointAt({ endpoint, credentials }: Sandbox): void {
  for (const service of ['RDS', 'KMS', 'CLOUDWATCH', 'SECRETS_MANAGER']) process.env[`AWS_ENDPOINT_URL_${service}`] = endpoint;
  process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey;
}

function entryOf({ Endpoint }: DBInstance): DatabaseEntry {
  const quarantine = { parameterGroup: 'quarantine-16', securityGroups: ['sg-quarantine'] };
  return {
    provider: 'rds',
    owners: 'dba',
    policy: 'default',
    server: {
      host: Endpoint?.Address ?? '',
      port: Endpoint?.Port ?? 0,
      dbname: 'shop',
      user: 'master',
      secret: { env: 'PASSWORD' },
      sslmode: 'disable',
    },
    rds: {
      instance: 'orders',
      region: home,
      quarantine,
      dr: {
        region: abroad,
        key: 'alias/orders',
        parameterGroup: 'orders-16',
        subnetGroup: 'default',
        securityGroups: ['sg-orders'],
        quarantine,
      },
    },
  };
}

const ordinary = {
  Engine: 'postgres',
  EngineVersion: '16',
  DBInstanceClass: 'db.t4g.micro',
  AllocatedStorage: 20,
  MasterUsername: 'master',
  MasterUserPassword: password,
  DBName: 'shop',
  BackupRetentionPeriod: 7,
  VpcSecurityGroupIds: ['sg-orders'],
  Tags: [{ Key: 'team', Value: 'orders' }],
};
