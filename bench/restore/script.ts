import { setTimeout as wait } from 'node:timers/promises';
import {
  CopyDBSnapshotCommand,
  DBInstanceNotFoundFault,
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
  type DBInstance,
} from '@aws-sdk/client-rds';
import type { Attempt } from '../../activities/attempt.ts';
import type { Servers } from '../../activities/postgres/session.ts';
import type { BackupFacts } from '../../activities/providers/backup-facts.ts';
import {
  copySnapshotCall,
  deleteRestoredCall,
  plannedSettings,
  restoreFromSnapshotCall,
  restoreToPointInTimeCall,
  setMainPasswordCall,
  settingsCall,
} from '../../activities/providers/rds/commands.ts';
import { ownOf } from '../../activities/providers/rds/own.ts';
import { differencesOf } from '../../activities/providers/rds/settings.ts';
import { hydrate } from '../../activities/recovery/hydrate.ts';
import type { RestoreFacts } from '../../activities/recovery/take-restore-facts.ts';
import { verify } from '../../activities/recovery/verify.ts';
import { tagOf } from '../../domain/run.ts';

/**
 * What somebody would write who needs no plan, no approval, no journal and no way back: the same calls in the same order, with the
 * same look at the same pace, straight at AWS. The SQL that reads and verifies a copy is the product's, so that it costs both the same.
 */
export interface Script {
  readonly servers: Servers;
  readonly lookAgainMs: number;
}

/** The calls of `pitr-restore` that throws the copy away. */
export function restoreBeside({ servers, lookAgainMs }: Script, facts: RestoreFacts, run: string) {
  return async (): Promise<void> => {
    const { source, database, verification } = facts.binding;
    const client = new RDSClient({ region: source.region });
    const attempt = attemptOf(run);
    const own = ownOf(attempt);
    await available(client, source.id, lookAgainMs);
    await client.send(new RestoreDBInstanceToPointInTimeCommand(restoreToPointInTimeCall(facts, own).input));
    const copy = await available(client, own.tag, lookAgainMs);
    if (differencesOf(plannedSettings(facts), copy, { modifiable: true, withPending: true }).length > 0)
      await client.send(new ModifyDBInstanceCommand(settingsCall(facts, own.tag, plannedSettings(facts)).input));
    const password = (await servers.secret(servers.entry(database).server.secret)) ?? '';
    await client.send(new ModifyDBInstanceCommand(setMainPasswordCall(facts, own.tag, password).input));
    const { Endpoint: { Address: host = '', Port: port = 0 } = {} } = await available(client, own.tag, lookAgainMs);
    const recovery = { database, restored: { host, port }, facts: '' };
    await hydrate({ servers, recovery }, attempt);
    await verify({ servers, recovery, facts: verification }, attempt);
    await client.send(new DeleteDBInstanceCommand(deleteRestoredCall(facts, own.tag).input));
    await gone(client, own.tag, lookAgainMs);
  };
}

/** The calls of `dr-snapshot-copy` with the newest snapshot and a drill that ends when the copy answers. */
export function copyAbroad({ lookAgainMs }: Script, facts: BackupFacts, run: string) {
  return async (): Promise<void> => {
    const own = ownOf(attemptOf(run));
    const copy = copySnapshotCall(facts, own, '');
    const client = new RDSClient({ region: copy.region });
    await client.send(new CopyDBSnapshotCommand(copy.input));
    await whole(client, own.tag, lookAgainMs);
    await client.send(new RestoreDBInstanceFromDBSnapshotCommand(restoreFromSnapshotCall(facts, own).input));
    await available(client, own.tag, lookAgainMs);
    await client.send(new DeleteDBInstanceCommand(deleteRestoredCall(facts, own.tag).input));
    await gone(client, own.tag, lookAgainMs);
  };
}

async function available(client: RDSClient, id: string, lookAgainMs: number): Promise<DBInstance> {
  for (;;) {
    const seen = (await client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }))).DBInstances?.[0];
    const passwordPending = seen?.PendingModifiedValues?.MasterUserPassword !== undefined;
    if (seen?.DBInstanceStatus === 'available' && !passwordPending) return seen;
    await wait(lookAgainMs);
  }
}

async function whole(client: RDSClient, id: string, lookAgainMs: number): Promise<void> {
  for (;;) {
    const seen = (await client.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }))).DBSnapshots?.[0];
    if (seen?.Status === 'available') return;
    await wait(lookAgainMs);
  }
}

async function gone(client: RDSClient, id: string, lookAgainMs: number): Promise<void> {
  for (;;) {
    try {
      await client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }));
    } catch (error) {
      if (error instanceof DBInstanceNotFoundFault) return;
      throw error;
    }
    await wait(lookAgainMs);
  }
}

/** Nobody is told anything, and nothing is written down. */
function attemptOf(run: string): Attempt {
  const nothing = async (): Promise<void> => await Promise.resolve();
  return {
    ...{ run, key: `${run}/script/1`, tag: tagOf(run), step: 'script', number: 1, signal: new AbortController().signal },
    ...{ checkpoint: undefined, intended: null, progress: () => undefined, save: () => undefined, alive: () => undefined },
    ...{ current: nothing, settle: nothing, intend: async (before) => await Promise.resolve(before) },
  };
}
