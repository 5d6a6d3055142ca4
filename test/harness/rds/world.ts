import {
  DeleteDBInstanceAutomatedBackupCommand,
  DeleteDBInstanceCommand,
  DeleteDBSnapshotCommand,
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  DescribeDBParameterGroupsCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  type DBInstance,
  RestoreDBInstanceFromDBSnapshotCommand,
} from '@aws-sdk/client-rds';
import type pg from 'pg';
import type { CallRecord } from '../../../sandbox/aws/calls.ts';
import { worldOf } from '../../e2e/objects.ts';
import { eventually } from '../../support/eventually.ts';
import type { World } from '../stage.ts';
import { available, lookAgainMs, mainUser, templateDatabase, type Account, type Regions } from './account.ts';
import { callsOf, statementsOf } from './executed.ts';
import { othersIn } from './others.ts';

/** A database at AWS with two regions for itself. What a runbook's own world adds is its input and what must hold in the end. */
export interface RdsWorld extends Omit<World, 'input' | 'judge'> {
  readonly regions: Regions;
  /** In the database in use, as its owner. */
  inUse<Seen>(look: (client: pg.Client) => Promise<Seen>): Promise<Seen>;
  /** The names of all instances and of all snapshots that somebody made, in both regions. */
  there(): Promise<{ readonly instances: string[]; readonly snapshots: string[] }>;
}

const source = 'orders';
let number = 0;

export async function newRdsWorld(account: Account): Promise<RdsWorld> {
  number += 1;
  const [database, dbname] = [`orders-${number}`, `orders_${number}`];
  const begun = new Date();
  const regions = await account.take();
  const instance = await makeSource(account, regions);
  const { Endpoint: { Address: host = '', Port: port = 0 } = {} } = instance;
  // By its database a case's statements are told from all others in the servers' logs.
  await connected(
    account,
    port,
    'postgres',
    async (client) => await client.query(`ALTER DATABASE ${templateDatabase} RENAME TO ${dbname}`),
  );
  account.addToInventory(database, entryOf(account, regions, { host, port, dbname }));
  const inUse: RdsWorld['inUse'] = async (look) => await connected(account, port, dbname, look);
  const both = [regions.home, regions.abroad];
  const faults: (() => void)[] = [];
  // What comes before the first look at the world is not the run's.
  let since: number | undefined;
  const there: RdsWorld['there'] = async () => {
    const seen = await Promise.all(both.map(async (region) => await madeIn(account, region)));
    return {
      instances: seen.flatMap(({ instances }) => instances.map((one) => one.id ?? '')),
      snapshots: seen.flatMap(({ snapshots }) => snapshots.map((one) => one.id ?? '')),
    };
  };
  return {
    ...{ database, regions, inUse, there },
    snapshot: async () => {
      since ??= account.aws.calls().length;
      return { live: await inUse(worldOf), regions: await Promise.all(both.map(async (region) => await madeIn(account, region))) };
    },
    executed: async () => [
      ...callsOf(account.aws, since ?? 0, both),
      ...(await statementsOf({ account, begun, dbname, live: instance.DbiResourceId ?? '' })),
    ],
    calls: {
      fault: (fault, where) => {
        const places = where === undefined ? both : [regions[where]];
        faults.push(...places.map((region) => account.aws.fault({ ...fault, region })));
      },
      hidden: () =>
        account.aws
          .calls()
          .slice(since)
          .filter((one) => both.includes(one.region) && isHidden(one)).length,
      ...othersIn(account, regions),
    },
    // What a look at the copy makes there, it removes again.
    makes: ({ on, text, refused = false }) => !refused && on !== 'restored' && makes.test(text),
    end: async () => {
      for (const end of faults) end();
      await clear(account, regions);
      account.giveBack(regions);
    },
  };
}

/** The fault meets every look, and hides only what is young. */
const isHidden = ({ faults, status }: CallRecord): boolean => faults?.includes('not-found') === true && status === 404;

/** What makes, or takes away, something that must not be made or taken away twice. */
const makes = /^(aws rds (create|copy|restore|delete)-|CREATE (SCHEMA|TABLE)|INSERT INTO|ALTER TABLE .* (SET SCHEMA|ADD CONSTRAINT))/i;

async function makeSource(account: Account, { home }: Regions): Promise<DBInstance> {
  const client = account.client(home);
  await client.send(
    new RestoreDBInstanceFromDBSnapshotCommand({
      ...{ DBInstanceIdentifier: source, DBSnapshotIdentifier: 'template', DBParameterGroupName: 'orders-16' },
      ...{ VpcSecurityGroupIds: ['sg-orders'], Tags: [{ Key: 'team', Value: 'orders' }] },
    }),
  );
  await available(client, source);
  // A restore carries neither: both are to be set on a copy.
  const change = { BackupRetentionPeriod: 7, PreferredBackupWindow: '01:00-01:30' };
  await client.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: source, ...change, ApplyImmediately: true }));
  return await available(client, source);
}

function entryOf({ passwordFile }: Account, { home, abroad }: Regions, at: { host: string; port: number; dbname: string }): object {
  const quarantine = { parameterGroup: 'quarantine-16', securityGroups: ['sg-quarantine'] };
  const kit = { parameterGroup: 'orders-16', subnetGroup: 'default', securityGroups: ['sg-orders'] };
  return {
    ...{ provider: 'rds', owners: 'team-orders', policy: 'default' },
    server: { ...at, user: mainUser, secret: { file: passwordFile }, sslmode: 'disable' },
    rds: { instance: source, region: home, quarantine, dr: { region: abroad, key: 'alias/orders', ...kit, quarantine } },
    verification: { newestRow: { table: 'orders', column: 'placed_at' } },
  };
}

async function connected<Seen>(account: Account, port: number, dbname: string, look: (client: pg.Client) => Promise<Seen>): Promise<Seen> {
  const client = await account.connect(port, dbname);
  try {
    return await look(client);
  } finally {
    await client.end();
  }
}

/** Of a region, without what passes by itself: how far backups reach, and when they were taken. */
async function madeIn(account: Account, region: string) {
  const client = account.client(region);
  const { DBInstances = [] } = await client.send(new DescribeDBInstancesCommand({}));
  const { DBSnapshots = [] } = await client.send(new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }));
  const { DBParameterGroups = [] } = await client.send(new DescribeDBParameterGroupsCommand({}));
  const { DBInstanceAutomatedBackups = [] } = await client.send(new DescribeDBInstanceAutomatedBackupsCommand({}));
  return {
    instances: DBInstances.map((one) => ({
      ...{ id: one.DBInstanceIdentifier, resource: one.DbiResourceId, status: one.DBInstanceStatus, tags: one.TagList },
      ...{ settings: [one.DBParameterGroups, one.VpcSecurityGroups, one.DeletionProtection, one.MultiAZ, one.DBInstanceClass] },
      ...{ backups: [one.BackupRetentionPeriod, one.PreferredBackupWindow], pending: one.PendingModifiedValues },
    })),
    snapshots: DBSnapshots.map((one) => ({ id: one.DBSnapshotIdentifier, arn: one.DBSnapshotArn, status: one.Status, tags: one.TagList })),
    groups: DBParameterGroups.map((one) => one.DBParameterGroupName),
    automated: DBInstanceAutomatedBackups.map((one) => ({ of: one.DbiResourceId, status: one.Status })),
  };
}

/** All but the template and the groups: whatever a case has left. */
async function clear(account: Account, { home, abroad }: Regions): Promise<void> {
  for (const region of [home, abroad]) {
    const client = account.client(region);
    await eventually(
      async () => {
        const { instances, snapshots, automated } = await madeIn(account, region);
        for (const { id, status } of instances.filter((one) => one.status !== 'deleting')) {
          const unprotected = { DBInstanceIdentifier: id, DeletionProtection: false, ApplyImmediately: true };
          if (status === 'available') await client.send(new ModifyDBInstanceCommand(unprotected));
          await client.send(
            new DeleteDBInstanceCommand({ DBInstanceIdentifier: id, SkipFinalSnapshot: true, DeleteAutomatedBackups: true }),
          );
        }
        const left = snapshots.filter(({ id }) => id !== 'template');
        for (const { id } of left) await client.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id }));
        for (const { of, status } of automated)
          if (status === 'retained') await client.send(new DeleteDBInstanceAutomatedBackupCommand({ DbiResourceId: of }));
        return instances.length + left.length === 0 || undefined;
      },
      60_000,
      lookAgainMs,
    );
  }
}
