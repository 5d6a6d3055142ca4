import {
  CopyDBSnapshotCommand,
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  CreateDBSnapshotCommand,
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBParameterGroupCommand,
  RDSClient,
  type DBInstance,
} from '@aws-sdk/client-rds';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { stringify } from 'yaml';
import type { Environment } from '../../../sandbox/configuration.ts';
import { startAws, type Aws } from '../../../sandbox/aws/aws.ts';
import { people } from '../../../sandbox/inventory.ts';
import { application, startControlServer, templateControl } from '../../support/control-server.ts';
import { eventually } from '../../support/eventually.ts';

/** Where one case works: nobody else makes anything in its two regions, so whatever is there is the case's. */
export interface Regions {
  readonly home: string;
  readonly abroad: string;
}

/** An account at the stand-in for AWS, and a control database, for all cases of a file. */
export interface Account {
  readonly aws: Aws;
  /** Below it the stand-in's files: the servers' logs among them. */
  readonly logs: string;
  readonly passwordFile: string;
  /** Of the product's processes; every case adds its database to the inventory. */
  readonly environment: Environment;
  client(region: string): RDSClient;
  /** Two regions with the groups, and in the first one the snapshot `template`. Give them back when they are empty again. */
  take(): Promise<Regions>;
  giveBack(regions: Regions): void;
  addToInventory(database: string, entry: object): void;
  /** As Steadyhand's own login, which is the main user. `end()` it. */
  connect(port: number, dbname: string): Promise<pg.Client>;
  stop(): Promise<void>;
}

export const mainUser = 'orders_owner';
export const templateDatabase = 'orders';
export const origin = 'eu-origin-1';
const source = 'orders';
/** Snapshots of an instance called as those of all cases: what their databases begin as, and one that was taken later. */
export const templates = ['template', 'template-later'] as const;
/** More than cases run at once. */
const places = Array.from({ length: 8 }, (_, index) => ({ home: `eu-home-${index + 1}`, abroad: `eu-abroad-${index + 1}` }));

const schema = `
  CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, total bigint NOT NULL CHECK (total >= 0), placed_at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE TABLE order_lines (order_id bigint NOT NULL REFERENCES orders, line int NOT NULL, amount bigint NOT NULL, PRIMARY KEY (order_id, line));
  CREATE TABLE parcels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, UNIQUE (order_id));
  INSERT INTO orders (total) SELECT 30 FROM generate_series(1, 100);
  INSERT INTO order_lines SELECT id, line, 10 FROM orders, generate_series(1, 3) AS line;
  INSERT INTO parcels (order_id) SELECT id FROM orders;`;

/** States pass at once; the latest restorable time is two seconds behind, and the day's backup comes every ten minutes. */
const quick = { factor: 150, statesFactor: 20_000 };

export async function startAccount({ taskQueue, address }: { taskQueue: string; address: string }): Promise<Account> {
  const directory = mkdtempSync(join(tmpdir(), 'steadyhand-account-'));
  await chmod(directory, 0o755);
  const keys = places.map(({ abroad }) => ({ region: abroad, alias: 'alias/orders' }));
  const regions = [origin, ...places.flatMap(({ home, abroad }) => [home, abroad])];
  const [aws, control] = await Promise.all([
    startAws({ directory: join(directory, 'aws'), ...quick, regions, keys, securityGroups: ['sg-orders', 'sg-quarantine'] }),
    startControlServer(),
  ]);
  pointAt(aws);
  const passwordFile = join(directory, 'password');
  const password = 'correct-horse-battery';
  await writeFile(passwordFile, password, { mode: 0o600 });
  const clients = new Map<string, RDSClient>();
  const client = (region: string): RDSClient => {
    const known = clients.get(region) ?? new RDSClient({ region, endpoint: aws.endpoint, credentials: aws.credentials });
    clients.set(region, known);
    return known;
  };
  const inventory = join(directory, 'steadyhand.yaml');
  const databases: Record<string, object> = {};
  const write = (): void =>
    writeFileSync(inventory, stringify({ version: 1, people, databases, policies }, { aliasDuplicateObjects: false }));
  write();
  const connect: Account['connect'] = async (port, dbname) => {
    const own = new pg.Client({ host: '127.0.0.1', port, user: mainUser, password, database: dbname, application_name: 'harness' });
    own.on('error', () => undefined);
    await own.connect();
    return own;
  };
  await makeTemplate(client, password, connect);
  const free = [...places];
  const ready = new Set<string>();
  return {
    ...{ aws, passwordFile, client, connect },
    logs: join(directory, 'aws', 'logs'),
    environment: {
      ...{ STEADYHAND_INVENTORY: inventory, STEADYHAND_CONTROL_URL: control.url(templateControl, application) },
      ...{ TEMPORAL_ADDRESS: address, STEADYHAND_TASK_QUEUE: taskQueue, STEADYHAND_LOG_LEVEL: 'warn' },
    },
    take: async () => {
      const taken = free.shift();
      if (!taken) throw new Error('all regions are in use');
      if (!ready.has(taken.home)) await prepare(aws, client, taken);
      ready.add(taken.home);
      return taken;
    },
    giveBack: (regions_) => void free.push(regions_),
    addToInventory: (database, entry) => {
      databases[database] = entry;
      write();
    },
    stop: async () => {
      await Promise.all([aws.stop(), control.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const quorum = { quorum: [{ group: 'dba' }], deadline: '4h' };
const policies = {
  default: { requesters: ['dba'], operators: ['dba', 'on-call'], approvals: { low: 'auto', medium: quorum, high: quorum } },
};

/** The product's calls go where its SDK is told to by the environment, in worker processes of their own too. */
function pointAt({ endpoint, credentials }: Aws): void {
  for (const service of ['RDS', 'KMS', 'CLOUDWATCH', 'SECRETS_MANAGER']) process.env[`AWS_ENDPOINT_URL_${service}`] = endpoint;
  process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey;
}

type Clients = Account['client'];

/** Every case's database begins as this snapshot: a folder that is copied, instead of one that PostgreSQL makes. */
async function makeTemplate(client: Clients, password: string, connect: Account['connect']): Promise<void> {
  const rds = client(origin);
  await rds.send(
    new CreateDBInstanceCommand({
      ...{ DBInstanceIdentifier: source, Engine: 'postgres', EngineVersion: '16', DBInstanceClass: 'db.t4g.micro', AllocatedStorage: 20 },
      ...{ StorageEncrypted: true, MasterUsername: mainUser, MasterUserPassword: password, DBName: templateDatabase },
      BackupRetentionPeriod: 0,
    }),
  );
  const { Endpoint } = await available(rds, source);
  const owner = await connect(Endpoint?.Port ?? 0, templateDatabase);
  await owner.query(schema);
  await owner.end();
  for (const template of templates) {
    await rds.send(new CreateDBSnapshotCommand({ DBInstanceIdentifier: source, DBSnapshotIdentifier: template }));
    await snapshotWhole(rds, template);
    await available(rds, source);
  }
  await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: source, SkipFinalSnapshot: true }));
}

/** Of a template, where it was made. */
export const arnOf = ({ aws }: Pick<Account, 'aws'>, template: string): string =>
  `arn:aws:rds:${origin}:${aws.account}:snapshot:${template}`;

async function prepare(aws: Aws, client: Clients, { home, abroad }: Regions): Promise<void> {
  for (const region of [home, abroad]) for (const group of ['orders-16', 'quarantine-16']) await makeGroup(client(region), group);
  const rds = client(home);
  const [template] = templates;
  const from = { SourceDBSnapshotIdentifier: arnOf({ aws }, template), SourceRegion: origin };
  await rds.send(new CopyDBSnapshotCommand({ ...from, TargetDBSnapshotIdentifier: template, KmsKeyId: 'alias/aws/rds' }));
  await snapshotWhole(rds, template);
}

/** The servers' logs are held against the plan, so they have every statement and whose it was. */
async function makeGroup(client: RDSClient, DBParameterGroupName: string): Promise<void> {
  await client.send(
    new CreateDBParameterGroupCommand({ DBParameterGroupName, DBParameterGroupFamily: 'postgres16', Description: 'of the orders' }),
  );
  const workers = DBParameterGroupName.startsWith('quarantine') ? { max_logical_replication_workers: '0' } : {};
  const values = { ...workers, log_statement: 'all', log_line_prefix: '%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a' };
  const Parameters = Object.entries(values).map(([ParameterName, ParameterValue]) => ({
    ...{ ParameterName, ParameterValue },
    ApplyMethod: 'pending-reboot' as const,
  }));
  await client.send(new ModifyDBParameterGroupCommand({ DBParameterGroupName, Parameters }));
}

/** A signed call costs milliseconds of both processors here, and six cases make them. */
export const lookAgainMs = 250;

export async function available(client: RDSClient, id: string): Promise<DBInstance> {
  return await eventually(
    async () => {
      const [seen] = (await client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }))).DBInstances ?? [];
      return seen?.DBInstanceStatus === 'available' ? seen : undefined;
    },
    90_000,
    lookAgainMs,
  );
}

export async function snapshotWhole(client: RDSClient, id: string): Promise<void> {
  await eventually(
    async () => {
      const [seen] = (await client.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }))).DBSnapshots ?? [];
      return seen?.Status === 'available' || undefined;
    },
    90_000,
    lookAgainMs,
  );
}
