import { AddTagsToResourceCommand, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BackupFacts } from '../../../activities/providers/backup-facts.ts';
import type { Provider, Swap } from '../../../activities/providers/provider.ts';
import { oldName, tagsOf } from '../../../activities/providers/rds/own.ts';
import { Failure } from '../../../domain/failure.ts';
import { createJournal, newRunId, type Journal } from '../../support/attempt.ts';
import { eventually } from '../../support/eventually.ts';
import { startRds, type RdsWorld } from '../../support/providers/rds.ts';
import { settled } from '../../support/settled.ts';

let world: RdsWorld;
let verbs: Required<Provider>;
let snapshot: string;
beforeAll(async () => {
  world = await startRds({ source: { DeletionProtection: true } });
  // Its suite holds that all groups are there.
  verbs = world.provider as Required<Provider>;
  const journal = createJournal(`backup-now/orders/${newRunId()}`);
  const facts = await verbs.restore.inspect({ database: 'orders', run: journal.run, snapshot: true });
  await settled(journal, 'ready', (attempt) => verbs.restore.awaitReady(facts, attempt));
  await verbs.backup.createSnapshot(facts, journal.attempt('snapshot'));
  ({ id: snapshot } = await settled(journal, 'made', (attempt) => verbs.backup.awaitSnapshot(facts, 'source', attempt)));
}, 180_000);
afterAll(async () => await world?.stop());

interface Swapping {
  readonly journal: Journal;
  readonly facts: BackupFacts;
  /** What the run calls the old one. */
  readonly old: string;
  /** What it calls the copy. */
  readonly own: string;
  does(step: string, verb: keyof Swap): Promise<void>;
  undoes(step: string, verb: keyof Swap): Promise<void>;
  /** Removes the copy, as the last undo of the run does. */
  removes(): Promise<void>;
}

/** A run whose copy stands beside. */
async function begin(): Promise<Swapping> {
  const journal = createJournal(`pitr-restore/orders/${newRunId()}`);
  const from = { kind: 'snapshot', id: snapshot } as const;
  const facts = await verbs.restore.inspect({ database: 'orders', run: journal.run, from, keepOldDays: 7 });
  await settled(journal, 'ready', (attempt) => verbs.restore.awaitReady(facts, attempt));
  await verbs.restore.restoreFromSnapshot(facts, journal.attempt('restore'));
  await settled(journal, 'available', (attempt) => verbs.restore.awaitAvailable(facts, attempt));
  const looked = async (step: string, verb: keyof Swap, undo: boolean): Promise<void> => {
    const failed = await eventually(async () => await tried(verbs.swap[verb](facts, journal.attempt(step, { undo }))), 90_000, 50);
    if (failed.error) throw failed.error;
  };
  return {
    journal,
    facts,
    old: oldName('orders', journal.tag),
    own: journal.tag.replace('_', '-'),
    does: async (step, verb) => await looked(step, verb, false),
    undoes: async (step, verb) => await looked(step, verb, true),
    removes: async () => {
      await settled(journal, 'restore', (attempt) => verbs.remove.deleteRestored(facts, attempt), { undo: true });
    },
  };
}

/** undefined when trying again may help, as Temporal would. */
async function tried(act: Promise<unknown>): Promise<{ error?: unknown } | undefined> {
  try {
    await act;
    return {};
  } catch (error) {
    return error instanceof Failure && error.retryable ? undefined : { error };
  }
}

test(
  'answers that are lost: each name is given once, the old one kept with its tags, and all of it goes back',
  { timeout: 240_000 },
  async () => {
    const { facts, journal, old, own, does, undoes, removes } = await begin();
    const { resource } = facts.binding.source;
    world.aws.fault({ action: 'AddTagsToResource', kind: 'lost' });
    world.aws.fault({ action: 'ModifyDBInstance', kind: 'lost' });
    await does('put-aside', 'renameSource');
    const due = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
    const aside = await world.instance(old);
    expect(aside).toMatchObject({ DbiResourceId: resource, DeletionProtection: true, DBInstanceStatus: 'available' });
    expect(tagsOf(aside?.TagList)).toEqual({
      team: 'orders',
      'steadyhand-run': journal.run,
      'steadyhand-key': `${journal.run}/put-aside/1`,
      'steadyhand:remove-after': due,
    });
    world.aws.fault({ action: 'ModifyDBInstance', kind: 'lost' });
    await does('take-place', 'renameRestored');
    expect(await world.instance(own)).toBeUndefined();
    // The backups of the one that was called so are none of this one.
    expect((await verbs.backup.listBackups('orders')).map(({ id }) => id)).not.toContain(snapshot);
    expect(world.effects('ModifyDBInstance', 'orders')).toBe(1);
    expect(world.effects('ModifyDBInstance', own)).toBe(1);

    world.aws.fault({ action: 'ModifyDBInstance', kind: 'lost' });
    world.aws.fault({ action: 'RebootDBInstance', kind: 'lost' });
    await does('open', 'openRestored');
    const now = await world.instance('orders');
    expect(now).toMatchObject({ DeletionProtection: true, VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-orders' }] });
    expect(now?.DBParameterGroups).toEqual([{ DBParameterGroupName: 'default.postgres16', ParameterApplyStatus: 'in-sync' }]);
    expect(world.effects('RebootDBInstance', 'orders')).toBe(1);
    expect(await verbs.settings.compareSettings(facts, journal.attempt('compare'))).not.toEqual([]);

    await undoes('open', 'closeRestored');
    expect(await verbs.settings.compareSettings(facts, journal.attempt('compare'))).toEqual([]);
    world.aws.fault({ action: 'ModifyDBInstance', kind: 'lost' });
    await undoes('take-place', 'nameRestoredBack');
    world.aws.fault({ action: 'ModifyDBInstance', kind: 'lost' });
    world.aws.fault({ action: 'RemoveTagsFromResource', kind: 'lost' });
    await undoes('put-aside', 'nameSourceBack');
    const back = await world.instance('orders');
    expect([back?.DbiResourceId, tagsOf(back?.TagList)]).toEqual([resource, { team: 'orders' }]);
    expect([await world.instance(old), world.effects('ModifyDBInstance', old)]).toEqual([undefined, 1]);
    await removes();
    expect((await world.instance('orders'))?.DbiResourceId).toBe(resource);
  },
);

test('an undo that comes before the rename has begun looks on, and takes it back', { timeout: 240_000 }, async () => {
  const { facts, old, journal, undoes, removes } = await begin();
  const before = world.effects('ModifyDBInstance', 'orders');
  world.aws.fault({ action: 'ModifyDBInstance', kind: 'slow', ms: 1_500 });
  const late = verbs.swap.renameSource(facts, journal.attempt('put-aside')).catch((error: unknown) => error);
  await eventually(async () => ((await world.instance('orders'))?.TagList?.length === 4 ? true : undefined));
  expect(world.effects('ModifyDBInstance', 'orders')).toBe(before);
  await undoes('put-aside', 'nameSourceBack');
  expect(await late).toMatchObject({ code: 'not-yet' });
  expect(await world.instance('orders')).toMatchObject({ DbiResourceId: facts.binding.source.resource, DBInstanceStatus: 'available' });
  expect(world.effects('ModifyDBInstance', old)).toBe(1);
  await removes();
});

test(
  'a copy that took the place is what the last undo removes, protected as it is; never the one that was put aside',
  { timeout: 240_000 },
  async () => {
    const { facts, old, does, undoes, removes, journal } = await begin();
    await does('put-aside', 'renameSource');
    await does('take-place', 'renameRestored');
    await does('open', 'openRestored');
    await removes();
    expect(await world.instance('orders')).toBeUndefined();
    expect(await world.instance(old)).toMatchObject({ DbiResourceId: facts.binding.source.resource, DBInstanceStatus: 'available' });
    await undoes('take-place', 'nameRestoredBack');
    await undoes('put-aside', 'nameSourceBack');
    // The source bears the run's tags for as long as it is put aside: a removal that comes late must not take it for the copy.
    await does('put-aside', 'renameSource');
    await undoes('put-aside', 'nameSourceBack');
    const { DBInstanceArn: arn } = (await world.instance('orders')) ?? {};
    const tag = [{ Key: 'steadyhand-run', Value: journal.run }];
    await world.client().send(new AddTagsToResourceCommand({ ResourceName: arn, Tags: tag }));
    await removes();
    expect(await world.instance('orders')).toMatchObject({ DbiResourceId: facts.binding.source.resource, DBInstanceStatus: 'available' });
    await undoes('put-aside', 'nameSourceBack');
  },
);

test('a name that others have is refused, theirs stays, and so does another one of the same name', { timeout: 240_000 }, async () => {
  const { facts, old, own, does, undoes, removes, journal } = await begin();
  await world.create(old);
  const order = { database: 'orders', run: journal.run, keepOldDays: 7 };
  await expect(verbs.restore.inspect(order)).rejects.toMatchObject({ code: 'foreign-object' });
  await expect(does('put-aside', 'renameSource')).rejects.toMatchObject({
    code: 'foreign-object',
    message: expect.stringContaining(old) as string,
  });
  expect(world.effects('ModifyDBInstance', old)).toBe(0);
  await undoes('put-aside', 'nameSourceBack');
  expect(tagsOf((await world.instance('orders'))?.TagList)).toEqual({ team: 'orders' });
  const renamed = { DBInstanceIdentifier: 'orders', NewDBInstanceIdentifier: 'elsewhere', ApplyImmediately: true };
  await world.client().send(new ModifyDBInstanceCommand(renamed));
  await eventually(async () => ((await world.instance('elsewhere'))?.DBInstanceStatus === 'available' ? true : undefined), 60_000);
  await expect(does('put-aside', 'renameSource')).rejects.toMatchObject({
    code: 'drift',
    message: expect.stringContaining('elsewhere') as string,
  });
  const another = await world.create('orders');
  await expect(does('take-place', 'renameRestored')).rejects.toMatchObject({ code: 'drift' });
  await removes();
  expect(await world.instance(own)).toBeUndefined();
  expect((await world.instance('orders'))?.DbiResourceId).toBe(another.DbiResourceId);
  expect((await world.instance('elsewhere'))?.DbiResourceId).toBe(facts.binding.source.resource);
});

test('a quarantine in other subnets is refused when a switch-over is planned', async () => {
  world.configure((entry) => {
    if (!entry.rds?.quarantine) throw new Error('the entry has a quarantine');
    return { ...entry, rds: { ...entry.rds, quarantine: { ...entry.rds.quarantine, subnetGroup: 'apart' } } };
  });
  await expect(verbs.restore.inspect({ database: 'orders', keepOldDays: 7 })).rejects.toMatchObject({
    code: 'plan-impossible',
    message: expect.stringContaining('"apart"') as string,
  });
});

test('the name of an old one fits, however long the name was', () => {
  const tag = 'steadyhand_01j8zq4y5v6w7x8y9z0a1b2c3d';
  expect(oldName('orders', tag)).toBe('orders-old-01j8zq4y5v6w7x8y9z0a1b2c3d');
  const long = oldName(`${'o'.repeat(31)}-${'s'.repeat(31)}`, tag);
  expect([long.length, long.includes('--')]).toEqual([62, false]);
});
