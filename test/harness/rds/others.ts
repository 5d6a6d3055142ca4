import {
  CopyDBSnapshotCommand,
  DeleteDBInstanceCommand,
  DeleteDBSnapshotCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  RestoreDBInstanceFromDBSnapshotCommand,
} from '@aws-sdk/client-rds';
import { eventually } from '../../support/eventually.ts';
import type { Calls, Made } from '../stage.ts';
import { arnOf, available, lookAgainMs, origin, snapshotWhole, templates, type Account, type Regions } from './account.ts';

/** In the user agent of their calls, so that these are not taken for a run's. */
export const somebodyElse = 'somebody-else';

/** What somebody else does in the case's regions, with the console as it were. */
export function othersIn(account: Account, regions: Regions): Pick<Calls, 'occupy' | 'alter' | 'remove' | 'identity'> {
  const { endpoint, credentials } = account.aws;
  const clientOf = ({ where }: Made): RDSClient =>
    new RDSClient({ region: regions[where], endpoint, credentials, customUserAgent: somebodyElse });
  return {
    identity: async (made, name) => await identityOf(clientOf(made), made, name),
    occupy: async (made, name) => {
      const client = clientOf(made);
      const snapshot = made.kind === 'snapshot' ? name : `${name}-theirs`;
      const from = { SourceDBSnapshotIdentifier: arnOf(account, templates[0]), SourceRegion: origin, KmsKeyId: 'alias/aws/rds' };
      await client.send(new CopyDBSnapshotCommand({ ...from, TargetDBSnapshotIdentifier: snapshot }));
      await snapshotWhole(client, snapshot);
      if (made.kind === 'snapshot') return;
      await client.send(new RestoreDBInstanceFromDBSnapshotCommand({ DBInstanceIdentifier: name, DBSnapshotIdentifier: snapshot }));
      await available(client, name);
    },
    alter: async (made, name) => {
      const client = clientOf(made);
      await available(client, name);
      const VpcSecurityGroupIds = ['sg-orders'];
      await client.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: name, VpcSecurityGroupIds, ApplyImmediately: true }));
    },
    remove: async (made, name) => {
      const client = clientOf(made);
      if (made.kind === 'instance') {
        await available(client, name);
        await client.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: name, SkipFinalSnapshot: true }));
      } else {
        await snapshotWhole(client, name);
        await client.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: name }));
      }
      const gone = async (): Promise<true | undefined> => ((await identityOf(client, made, name)) === undefined ? true : undefined);
      await eventually(gone, 60_000, lookAgainMs);
    },
  };
}

/** AWS's own name for that very thing; a snapshot has the moment at which it was made instead. */
async function identityOf(client: RDSClient, { kind }: Made, name: string): Promise<string | undefined> {
  if (kind === 'instance') {
    const { DBInstances = [] } = await client.send(new DescribeDBInstancesCommand({}));
    return DBInstances.find((one) => one.DBInstanceIdentifier === name)?.DbiResourceId;
  }
  const { DBSnapshots = [] } = await client.send(new DescribeDBSnapshotsCommand({}));
  return DBSnapshots.find((one) => one.DBSnapshotIdentifier === name)?.SnapshotCreateTime?.toISOString();
}
