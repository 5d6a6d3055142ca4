import {
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  DescribeDBInstancesCommand,
  type DBInstance,
  ModifyDBParameterGroupCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { scramVerifier } from '../activities/postgres/scram-verifier.ts';
import { makeEveryKind } from './every-kind.ts';
import { startAws, type Aws, type AwsOptions } from './aws/aws.ts';
import { endpointName } from './aws/rds/endpoint-name.ts';
import { until } from './until.ts';

export interface RdsOrders {
  readonly aws: Aws;
  /** What points the AWS SDK of API, worker and commands at the stand-in, and how often they look there. */
  readonly environment: Readonly<Record<string, string>>;
  /** The database's entry in an inventory. */
  readonly entry: ReturnType<typeof entryOf>;
  client(region?: string): RDSClient;
  /**
   * The owner's connection to the database in use. `end()` it. As all of these it verifies the server in full: it trusts the authority
   * that the instance had at first, and no other, and the certificate must be for the endpoint's name.
   */
  connect(): Promise<pg.Client>;
  /** The same of the application's role. */
  connectApplication(): Promise<pg.Client>;
  readonly applicationPassword: string;
  /** The owner's connection to an instance of this name. */
  connectTo(instance: string): Promise<pg.Client>;
  /** The same to what a run has restored, by the address that its evidence has. */
  connectAt(address: { readonly host: string; readonly port: number }): Promise<pg.Client>;
}

const home = 'eu-central-1';
const abroad = 'eu-west-1';
const instance = 'orders';
/** Not the one that an instance gets by itself: a restore that loses it serves none of its clients. */
const authority = 'rds-ca-ecc384-g1';
const [dbname, user] = ['orders', 'orders_owner'];
/** As whom the application writes. */
const application = 'orders_app';

/** What the load writes: rows with the time that they were written at. Beside it there is one of every kind of relation. */
const schema = `
  CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, total bigint NOT NULL CHECK (total >= 0), placed_at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE INDEX orders_placed ON orders (placed_at);
  CREATE TABLE order_lines (order_id bigint NOT NULL REFERENCES orders, line int NOT NULL, amount bigint NOT NULL, PRIMARY KEY (order_id, line));
  INSERT INTO orders (total) SELECT 30 FROM generate_series(1, 5000);
  INSERT INTO order_lines SELECT id, line, 10 FROM orders, generate_series(1, 3) AS line;`;

const verification = {
  assertions: [
    {
      name: 'every order has its lines',
      sql: 'SELECT NOT EXISTS (SELECT FROM orders o WHERE total <> (SELECT coalesce(sum(amount), 0) FROM order_lines WHERE order_id = o.id))',
    },
  ],
  newestRow: { table: 'orders', column: 'placed_at' },
};

/**
 * The stand-in for AWS in two regions, with the instance `orders`, its rows, and the other region's kit. Needs some seconds; stop
 * `aws` when it is not needed any more.
 */
export async function startRdsOrders(options: AwsOptions): Promise<RdsOrders> {
  const aws = await startAws({
    securityGroups: ['sg-orders', 'sg-quarantine'],
    keys: [{ region: abroad, alias: 'alias/orders' }],
    ...options,
  });
  try {
    return await prepared(aws, options.directory);
  } catch (error) {
    await aws.stop();
    throw error;
  }
}

/** What it may do, now and on tables to come. */
const rights = `
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${application};
  ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${application};`;

async function prepared(aws: Aws, directory: string): Promise<RdsOrders> {
  const client = (region: string = home): RDSClient => new RDSClient({ region, endpoint: aws.endpoint, credentials: aws.credentials });
  const [owner, app] = [await newPassword(directory, 'orders-password'), await newPassword(directory, 'application-password')];
  await Promise.all([home, abroad].map(async (region) => await makeGroups(client(region))));
  const { host, port } = addressOf(await makeInstance(client(), owner.password));
  const ca = await readFile(aws.root(home, authority), 'utf8');
  const connectAs = async (login: Partial<pg.ClientConfig>, id = instance): Promise<pg.Client> => {
    const ssl = { ca, servername: endpointName({ id, region: home }) };
    const all = { host, port, ssl, user, password: owner.password, database: dbname, application_name: 'sandbox', ...login };
    const own = new pg.Client(all);
    own.on('error', () => undefined);
    await own.connect();
    return own;
  };
  const connect = async (): Promise<pg.Client> => await connectAs({});
  const first = await connect();
  try {
    await first.query(schema);
    await makeEveryKind(first);
    await first.query(`CREATE ROLE ${application} LOGIN PASSWORD '${scramVerifier(app.password)}'`);
    await first.query(rights);
  } finally {
    await first.end();
  }
  return {
    ...{ aws, client, connect },
    connectApplication: async () => await connectAs({ user: application, password: app.password }),
    applicationPassword: app.password,
    connectAt: async ({ host: at, port: own }) => await connectAs({ host: at, port: own, ssl: { ca } }),
    connectTo: async (called) => await connectAs(addressOf(await instanceCalled(client(), called)), called),
    // Nobody waits ten seconds at a stand-in that is much faster than AWS.
    environment: { ...environmentOf(aws), STEADYHAND_AWS_LOOK_SECONDS: '0.5' },
    entry: entryOf({ host, port, passwordFile: owner.file, applicationFile: app.file, sslrootcert: aws.bundle }),
  };
}

async function newPassword(directory: string, called: string): Promise<{ password: string; file: string }> {
  const password = randomBytes(18).toString('base64url');
  const file = join(directory, called);
  await writeFile(file, password, { mode: 0o600 });
  return { password, file };
}

async function instanceCalled(client: RDSClient, DBInstanceIdentifier: string): Promise<DBInstance> {
  const { DBInstances: [found] = [] } = await client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier }));
  return found ?? {};
}

async function makeGroups(client: RDSClient): Promise<void> {
  for (const DBParameterGroupName of ['orders-16', 'quarantine-16']) {
    await client.send(
      new CreateDBParameterGroupCommand({ DBParameterGroupName, DBParameterGroupFamily: 'postgres16', Description: 'of the orders' }),
    );
  }
  // Nothing connects without TLS, the product and what it starts included.
  const secure = { ParameterName: 'rds.force_ssl', ParameterValue: '1', ApplyMethod: 'immediate' } as const;
  const none = { ParameterName: 'max_logical_replication_workers', ParameterValue: '0', ApplyMethod: 'pending-reboot' } as const;
  await client.send(new ModifyDBParameterGroupCommand({ DBParameterGroupName: 'quarantine-16', Parameters: [none, secure] }));
  // By it the moment before an accident is found.
  const ddl = { ParameterName: 'log_statement', ParameterValue: 'ddl', ApplyMethod: 'immediate' } as const;
  await client.send(new ModifyDBParameterGroupCommand({ DBParameterGroupName: 'orders-16', Parameters: [ddl, secure] }));
}

async function makeInstance(client: RDSClient, password: string): Promise<DBInstance> {
  await client.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: instance,
      Engine: 'postgres',
      EngineVersion: '16',
      DBInstanceClass: 'db.t4g.micro',
      AllocatedStorage: 20,
      StorageEncrypted: true,
      MasterUsername: user,
      MasterUserPassword: password,
      DBName: dbname,
      DBParameterGroupName: 'orders-16',
      BackupRetentionPeriod: 7,
      VpcSecurityGroupIds: ['sg-orders'],
      // Not what an instance gets by itself: a restore that carries less than everything loses something here.
      CACertificateIdentifier: authority,
      EngineLifecycleSupport: 'open-source-rds-extended-support-disabled',
      MaxAllocatedStorage: 40,
      NetworkType: 'DUAL',
      EnablePerformanceInsights: true,
      PerformanceInsightsRetentionPeriod: 465,
      DatabaseInsightsMode: 'advanced',
      Tags: [{ Key: 'team', Value: 'orders' }],
    }),
  );
  return await until(
    'the instance is available',
    async () => {
      const seen = await instanceCalled(client, instance);
      return seen.DBInstanceStatus === 'available' ? seen : undefined;
    },
    { withinMs: 60_000 },
  );
}

function addressOf({ Endpoint: { Address: host = '', Port: port = 0 } = {} }: DBInstance): { host: string; port: number } {
  return { host, port };
}

function environmentOf({ endpoint, credentials }: Aws): Record<string, string> {
  const services = ['RDS', 'KMS', 'CLOUDWATCH'].map((service) => [`AWS_ENDPOINT_URL_${service}`, endpoint]);
  return {
    ...Object.fromEntries(services),
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

interface Written {
  readonly host: string;
  readonly port: number;
  readonly passwordFile: string;
  readonly applicationFile: string;
  readonly sslrootcert: string;
}

function entryOf({ host, port, passwordFile, applicationFile, sslrootcert }: Written) {
  const quarantine = { parameterGroup: 'quarantine-16', securityGroups: ['sg-quarantine'] };
  const kit = { parameterGroup: 'orders-16', subnetGroup: 'default', securityGroups: ['sg-orders'] };
  return {
    description: 'The orders of the shop, at AWS',
    provider: 'rds',
    server: { host, port, dbname, user, secret: { file: passwordFile }, sslmode: 'verify-full', sslrootcert },
    rds: { instance, region: home, quarantine, dr: { region: abroad, key: 'alias/orders', ...kit, quarantine } },
    users: [{ name: application, secret: { file: applicationFile } }],
    verification,
    owners: 'team-orders',
    policy: 'default',
  };
}
