import {
  DescribeDBInstancesCommand,
  RDSClient,
  CreateDBInstanceCommand,
  type CreateDBInstanceCommandInput,
  type DBInstance,
} from '@aws-sdk/client-rds';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { startAws, type Aws, type AwsOptions } from '../../../sandbox/aws/aws.ts';
import { eventually } from '../../support/eventually.ts';
import { ownFolder } from '../support.ts';

export const [home, abroad] = ['eu-central-1', 'eu-west-1'] as const;
const password = 'correct-horse-battery';

export interface AwsPlace {
  readonly aws: Aws;
  readonly directory: string;
  /** Clients that try once only, so that a test sees each answer. */
  readonly rds: RDSClient;
  readonly rdsAbroad: RDSClient;
  readonly log: string[];
  /** Makes an instance and waits until it is available. */
  create(id: string, input?: Partial<CreateDBInstanceCommandInput>): Promise<DBInstance>;
  describe(id: string, client?: RDSClient): Promise<DBInstance>;
  /** Until the instance has that status; the answer has the statuses on the way. */
  reaches(id: string, status: string): Promise<string[]>;
  query(id: string, sql: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  /** A connection of the test's own, through the instance's endpoint; with TLS when its options are given. */
  connect(id: string, tls?: ConnectionOptions): Promise<pg.Client>;
  queryAt(instance: DBInstance, sql: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  end(): Promise<void>;
}

async function connectTo({ Endpoint }: DBInstance, ssl?: ConnectionOptions): Promise<pg.Client> {
  const at = { host: Endpoint?.Address, port: Endpoint?.Port };
  const client = new pg.Client({ ...at, user: 'master', password, database: 'shop', ssl });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const queryAt: AwsPlace['queryAt'] = async (instance, sql, values) => {
  const client = await connectTo(instance);
  try {
    return await client.query(sql, values === undefined ? undefined : [...values]);
  } finally {
    await client.end();
  }
};

export const clientOf = (aws: Aws, region: string): RDSClient =>
  new RDSClient({ endpoint: aws.endpoint, region, credentials: aws.credentials, maxAttempts: 1 });

/** The stand-in, 300 times faster than AWS: an instance in about a second. */
export async function awsPlace(options: Partial<AwsOptions> = {}): Promise<AwsPlace> {
  const folder = await ownFolder();
  const directory = `${folder.path}/aws`;
  const log: string[] = [];
  const aws = await startAws({ directory, factor: 300, log: (line) => log.push(line), ...options });
  const rds = clientOf(aws, home);
  const describe = async (id: string, client = rds): Promise<DBInstance> => {
    const { DBInstances } = await client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }));
    const found = DBInstances?.[0];
    if (!found) throw new Error(`no instance ${id}`);
    return found;
  };
  const reaches = async (id: string, status: string): Promise<string[]> => {
    const seen: string[] = [];
    const look = async (): Promise<true | undefined> => {
      const now = (await describe(id)).DBInstanceStatus ?? '';
      if (seen.at(-1) !== now) seen.push(now);
      return now === status || /failed|incompatible/.test(now) || undefined;
    };
    await eventually(look, 60_000);
    if (seen.at(-1) !== status) throw new Error(`${id} is ${seen.join(', ')}: ${log.join('; ')}`);
    return seen;
  };
  return {
    aws,
    directory,
    rds,
    rdsAbroad: clientOf(aws, abroad),
    log,
    describe,
    reaches,
    create: async (id, input = {}) => {
      await rds.send(new CreateDBInstanceCommand({ DBInstanceIdentifier: id, ...ordinary, ...input }));
      await reaches(id, 'available');
      return await describe(id);
    },
    query: async (id, sql, values) => await queryAt(await describe(id), sql, values),
    connect: async (id, tls) => await connectTo(await describe(id), tls),
    queryAt,
    end: async () => {
      rds.destroy();
      await aws.stop();
      await folder.remove();
    },
  };
}

export const ordinary = {
  Engine: 'postgres',
  EngineVersion: '16',
  DBInstanceClass: 'db.t4g.micro',
  AllocatedStorage: 20,
  MasterUsername: 'master',
  MasterUserPassword: password,
  DBName: 'shop',
};
