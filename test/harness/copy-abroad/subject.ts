import { CopyDBSnapshotCommand } from '@aws-sdk/client-rds';
import { ulid } from 'ulid';
import { expect } from 'vitest';
import type { Control } from '../../../control/contract.ts';
import { runNameOf } from '../../../domain/run.ts';
import { drSnapshotCopy } from '../../../workflows/dr-snapshot-copy/plan.ts';
import type { ChangingCall } from '../changing-calls.ts';
import { arnOf, origin, snapshotWhole, templates, type Account } from '../rds/account.ts';
import { rdsStage } from '../rds/stage.ts';
import { newRdsWorld, type RdsWorld } from '../rds/world.ts';
import type { Subject, World } from '../stage.ts';

/** A new snapshot is copied and proved by a drill, and of two earlier copies the one goes that nobody proved. */
export const copyAbroadSubject: Subject = {
  runbook: drSnapshotCopy,
  noUndo: ['room', 'tear-down', 'prove', 'remove-snapshot', 'prune'],
  remade: ['set-password', 'tear-down', 'remove-snapshot', 'prune'],
  takesAway: ['tear-down'],
  people: { asks: 'ada', agree: ['grace'], operates: 'grace' },
  stage: async (temporal) => await rdsStage(newWorld, temporal),
};

async function newWorld(account: Account, control: Control): Promise<World> {
  const { inUse: _, there, ...world } = await newRdsWorld(account);
  const [old = '', good = ''] = await earlierCopies(account, control, world);
  return {
    ...world,
    input: { snapshot: 'new' },
    judge: async (skipped) => {
      const { instances, snapshots } = await there();
      expect(instances).toEqual(['orders']);
      const own = snapshots.filter((id) => id.startsWith('steadyhand-') && ![old, good].includes(id));
      // At home the new snapshot goes, once it is copied.
      expect(own).toEqual(skipped === 'remove-snapshot' ? [own[0], own[0]] : [own[0]]);
      const stay = [good, templates[0], ...(skipped === 'prune' ? [old] : [])];
      expect(snapshots.filter((id) => !own.includes(id)).toSorted()).toEqual(stay.toSorted());
    },
  };
}

/** Two runs of this installation made them, the later copy was restored and queried: the older one goes. */
async function earlierCopies(
  account: Account,
  control: Control,
  { database, regions }: Pick<RdsWorld, 'database' | 'regions'>,
): Promise<string[]> {
  const client = account.client(regions.abroad);
  return await Promise.all(
    templates.map(async (template, index) => {
      const run = await knownRun(control, database);
      const Tags = Object.entries({ 'steadyhand-run': run, 'steadyhand-database': database }).map(([Key, Value]) => ({ Key, Value }));
      const copy = { TargetDBSnapshotIdentifier: `steadyhand-${runNameOf(run).id.toLowerCase()}`, KmsKeyId: 'alias/orders' };
      const from = { SourceDBSnapshotIdentifier: arnOf(account, template), SourceRegion: origin };
      await client.send(new CopyDBSnapshotCommand({ ...from, ...copy, Tags }));
      await snapshotWhole(client, copy.TargetDBSnapshotIdentifier);
      if (index === 1) await proved(control, { database, run, backup: copy.TargetDBSnapshotIdentifier });
      return copy.TargetDBSnapshotIdentifier;
    }),
  );
}

/** Requested, and over. */
async function knownRun(control: Control, database: string): Promise<string> {
  const { name: runbook, version, risk } = drSnapshotCopy;
  const run = `${runbook}/${database}/${ulid()}`;
  const asked = { run, runbook, version, risk, database, input: {}, requester: copyAbroadSubject.people.asks };
  const { request } = await control.requests.create({ ...asked, channel: 'http', idempotencyKey: ulid(), bodyDigest: 'a'.repeat(64) });
  await control.requests.started(request.id);
  const actor = { kind: 'system', name: 'temporal', channel: 'engine' } as const;
  await control.runs.close(run, { outcome: 'succeeded', left: [], free: true, actor });
  return run;
}

async function proved(control: Control, { database, run, backup }: { database: string; run: string; backup: string }): Promise<void> {
  const nothing = { backupAt: null, target: null, recoveredTo: null, secondsAvailable: null, secondsHydrated: null };
  await control.proofs.record({
    ...nothing,
    database,
    verified: 'restored-and-queried',
    backup,
    checks: [],
    versions: {},
    run,
    key: `${run}/prove/1`,
  });
}

/** Every call of the run that changes something at AWS. */
export const copyAbroadCalls: readonly ChangingCall[] = [
  { action: 'CreateDBSnapshot', step: 'snapshot', makes: { kind: 'snapshot', where: 'home' } },
  { action: 'CopyDBSnapshot', step: 'copy', makes: { kind: 'snapshot', where: 'abroad' } },
  { action: 'RestoreDBInstanceFromDBSnapshot', step: 'drill', makes: { kind: 'instance', where: 'abroad' } },
  { action: 'ModifyDBInstance', step: 'set-password', where: 'abroad' },
  { action: 'DeleteDBInstance', step: 'tear-down', takes: { kind: 'instance', where: 'abroad' } },
  { action: 'DeleteDBSnapshot', step: 'remove-snapshot', where: 'home', takes: { kind: 'snapshot', where: 'home' } },
  { action: 'DeleteDBSnapshot', step: 'prune', where: 'abroad' },
];
