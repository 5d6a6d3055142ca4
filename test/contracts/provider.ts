import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { capable, type Capability } from '../../activities/providers/provider-of.ts';
import type { Provider } from '../../activities/providers/provider.ts';
import type { Servers } from '../../activities/postgres/session.ts';
import type { DatabaseEntry } from '../../domain/inventory.ts';
import type { OwnedObject } from '../../domain/leftover.ts';
import { createJournal, newRunId, type JournalAttempt } from '../support/attempt.ts';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/settled.ts';

/** A database that one provider runs, for a test file. */
export interface ProviderWorld {
  readonly servers: Servers;
  readonly provider: Provider;
  readonly database: string;
  /** The major version of its PostgreSQL. */
  readonly major: number;
  /** Changes the inventory's entry, until the next test. */
  configure(change: (entry: DatabaseEntry) => DatabaseEntry): void;
  /** How often this was really made, changed or deleted, by its name at the provider. */
  made?(name: string): number;
  stop(): Promise<void>;
}

const groups: readonly Capability[] = ['backup', 'restore', 'copy', 'remove', 'swap', 'settings', 'storage', 'owned', 'logs'];

/** What every provider must do, and what each group of verbs must that it `can`. */
export function providerSuite(name: string, start: () => Promise<ProviderWorld>, can: readonly Capability[]): void {
  let world: ProviderWorld;
  let entry: DatabaseEntry;
  beforeAll(async () => {
    world = await start();
    entry = world.servers.entry(world.database);
  }, 120_000);
  afterAll(async () => await world?.stop());
  beforeEach(() => world.configure(() => entry));

  describe(`${name}: describe`, () => {
    test('tells what a database is, the same at each look', async () => {
      const first = await world.provider.describe(world.database);
      expect(await world.provider.describe(world.database)).toEqual(first);
      expect(first).toMatchObject({ inRecovery: false, topology: { role: 'primary', standbys: [] } });
      expect(first.systemIdentifier).toMatch(/^\d{18,20}$/);
      expect(Math.floor(first.version / 10_000)).toBe(world.major);
    });
    test('a server that is down is unreachable, a wrong password is a refused login', async () => {
      world.configure((one) => ({ ...one, server: { ...one.server, user: 'nobody-of-this-name' } }));
      await expect(world.provider.describe(world.database)).rejects.toMatchObject({ code: 'login-refused' });
      world.configure((one) => ({ ...one, server: { ...one.server, port: 1 } }));
      await expect(world.provider.describe(world.database)).rejects.toMatchObject({ code: 'unreachable' });
    });
  });

  test(`${name}: has the groups that it says, and says of another one that it lacks it`, () => {
    const there = groups.filter((group) => world.provider[group] !== undefined);
    expect(there).toEqual(groups.filter((group) => can.includes(group)));
    for (const group of groups) {
      if (there.includes(group)) expect(capable(world.provider, group, world.database)).toBe(world.provider[group]);
      else expect(() => capable(world.provider, group, world.database)).toThrow(`${name}, which has no ${group}`);
    }
  });

  if (can.includes('backup')) backupSuite(name, () => world);
  if (can.includes('restore')) restoreSuite(name, () => world);
  if (can.includes('swap')) swapSuite(name, () => world);
}

const verbs = <Group extends Capability>(world: ProviderWorld, group: Group): NonNullable<Provider[Group]> =>
  capable(world.provider, group, world.database);

/** What of the run's is there; a provider that makes something must be able to list it. */
async function ownedBy(world: ProviderWorld, run: string): Promise<readonly OwnedObject[]> {
  const { objects, unseen } = await verbs(world, 'owned').list(world.database);
  expect(unseen).toEqual([]);
  return objects.filter((one) => one.run === run);
}

function backupSuite(name: string, worldOf: () => ProviderWorld): void {
  test(`${name}: a snapshot asked for twice is made once, waits until it is whole, and goes, twice`, { timeout: 120_000 }, async () => {
    const world = worldOf();
    const [backup, restore] = [verbs(world, 'backup'), verbs(world, 'restore')];
    const journal = createJournal(`backup-now/${world.database}/${newRunId()}`);
    const facts = await restore.inspect({ database: world.database, run: journal.run, snapshot: true });
    await settled(journal, 'ready', (attempt) => restore.awaitReady(facts, attempt));
    await backup.createSnapshot(facts, journal.attempt('snapshot'));
    await backup.createSnapshot(facts, journal.attempt('snapshot'));
    const made = await settled(journal, 'await', (attempt) => backup.awaitSnapshot(facts, 'source', attempt));
    expect(await backup.listBackups(world.database)).toContainEqual(expect.objectContaining({ id: made.id, automated: false }));
    expect(world.made?.(made.id) ?? 1).toBe(1);
    expect(await ownedBy(world, journal.run)).toMatchObject([{ kind: 'snapshot', name: made.id, step: 'snapshot', removeAfter: null }]);
    for (let time = 0; time < 2; time += 1) {
      await settled(journal, 'snapshot', (attempt) => backup.deleteSnapshot(facts, attempt), { undo: true });
    }
    expect(await ownedBy(world, journal.run)).toEqual([]);
    expect((await backup.listBackups(world.database)).filter(({ id }) => id === made.id)).toEqual([]);
  });
  test(`${name}: the undo of a snapshot that never was does nothing`, async () => {
    const world = worldOf();
    const [backup, restore] = [verbs(world, 'backup'), verbs(world, 'restore')];
    const journal = createJournal(`backup-now/${world.database}/${newRunId()}`);
    const facts = await restore.inspect({ database: world.database, run: journal.run, snapshot: true });
    const undo = journal.attempt('snapshot', { undo: true });
    await backup.deleteSnapshot(facts, undo);
    expect(journal.outcomes.get(undo.key)).toBe('nothing-to-undo');
  });
}

function restoreSuite(name: string, worldOf: () => ProviderWorld): void {
  test(`${name}: what can't be restored is refused when it is planned`, async () => {
    const world = worldOf();
    const restore = verbs(world, 'restore');
    const at = async (moment: string): Promise<unknown> =>
      await restore.inspect({ database: world.database, from: { kind: 'moment', at: moment } });
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z');
    await expect(at(tomorrow)).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('still to come') as string,
    });
    await expect(at('2026-11-21T18:04:05')).rejects.toMatchObject({ message: expect.stringContaining('time zone') as string });
    await expect(at('2026-11-21T18:04:05.5Z')).rejects.toMatchObject({ message: expect.stringContaining('whole seconds') as string });
    await expect(at('2001-01-01T00:00:00Z')).rejects.toMatchObject({ message: expect.stringContaining('is before that') as string });
    await expect(at('yesterday')).rejects.toMatchObject({ code: 'input-invalid' });
  });

  test(`${name}: an instance restored twice is there once, with the source's settings, and goes, twice`, { timeout: 180_000 }, async () => {
    const world = worldOf();
    const [restore, remove, settings] = [verbs(world, 'restore'), verbs(world, 'remove'), verbs(world, 'settings')];
    const window = await eventually(async () => (await restore.window(world.database)) ?? undefined, 60_000, 250);
    const journal = createJournal(`pitr-restore/${world.database}/${newRunId()}`);
    const moment = `${window.latest.slice(0, 19)}Z`;
    const facts = await restore.inspect({ database: world.database, run: journal.run, from: { kind: 'moment', at: moment } });
    await settled(journal, 'restorable', (attempt) => restore.awaitRestorable(facts, attempt));
    await restore.restoreToPointInTime(facts, journal.attempt('restore'));
    await restore.restoreToPointInTime(facts, journal.attempt('restore'));
    const restored = await settled(journal, 'available', (attempt) => restore.awaitAvailable(facts, attempt));
    expect(restored.resource).not.toBe(facts.binding.source.resource);
    expect(world.made?.(restored.id) ?? 1).toBe(1);
    expect(await ownedBy(world, journal.run)).toMatchObject([{ kind: 'instance', name: restored.id, step: 'restore', removeAfter: null }]);
    await settings.applySettings(facts, journal.attempt('settings'));
    await settled(journal, 'available', (attempt) => restore.awaitAvailable(facts, attempt));
    await eventually(async () => ((await settings.compareSettings(facts, journal.attempt('compare'))).length === 0 ? true : undefined));
    for (let time = 0; time < 2; time += 1) {
      await settled(journal, 'restore', (attempt) => remove.deleteRestored(facts, attempt), { undo: true });
    }
    await expect(restore.awaitAvailable(facts, journal.attempt('available'))).rejects.toMatchObject({ code: 'not-yet' });
  });
}

function swapSuite(name: string, worldOf: () => ProviderWorld): void {
  test(`${name}: a copy takes the source's place and gives it back, everything asked for twice`, { timeout: 240_000 }, async () => {
    const world = worldOf();
    const [restore, remove, swap] = [verbs(world, 'restore'), verbs(world, 'remove'), verbs(world, 'swap')];
    const window = await eventually(async () => (await restore.window(world.database)) ?? undefined, 60_000, 250);
    const journal = createJournal(`pitr-restore/${world.database}/${newRunId()}`);
    const from = { kind: 'moment', at: `${window.latest.slice(0, 19)}Z` } as const;
    const order = { database: world.database, run: journal.run, from, keepOldDays: 7 };
    const facts = await restore.inspect(order);
    const { source } = facts.binding;
    const twice = async (step: string, act: (attempt: JournalAttempt) => Promise<unknown>, options = {}): Promise<void> => {
      for (let time = 0; time < 2; time += 1) await settled(journal, step, act, options);
    };
    await restore.restoreToPointInTime(facts, journal.attempt('restore'));
    const restored = await settled(journal, 'available', (attempt) => restore.awaitAvailable(facts, attempt));
    await expect(swap.awaitNamed(facts, journal.attempt('named'))).rejects.toMatchObject({ code: 'not-yet' });

    await settled(journal, 'ready', (attempt) => restore.awaitReady(facts, attempt));
    await twice('old', (attempt) => swap.renameSource(facts, attempt));
    await twice('new', (attempt) => swap.renameRestored(facts, attempt));
    const named = await settled(journal, 'named', (attempt) => swap.awaitNamed(facts, attempt));
    expect(named).toMatchObject({ id: source.id, resource: restored.resource });
    const day = expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/) as string;
    expect((await ownedBy(world, journal.run)).toSorted((one) => (one.removeAfter === null ? 1 : -1))).toMatchObject([
      { kind: 'instance', step: 'old', removeAfter: day },
      { kind: 'instance', name: source.id, step: 'restore', removeAfter: null },
    ]);
    await twice('open', (attempt) => swap.openRestored(facts, attempt));
    // Whatever looks for one of the two finds it under its new name, and the facts taken again are the same.
    expect(await settled(journal, 'available', (attempt) => restore.awaitAvailable(facts, attempt))).toEqual(named);
    expect(await restore.find(facts, journal.run)).toEqual(named);
    await settled(journal, 'ready', (attempt) => restore.awaitReady(facts, attempt));
    expect((await restore.inspect(order)).binding).toEqual(facts.binding);

    const undo = { undo: true };
    await twice('open', (attempt) => swap.closeRestored(facts, attempt), undo);
    await twice('new', (attempt) => swap.nameRestoredBack(facts, attempt), undo);
    await twice('old', (attempt) => swap.nameSourceBack(facts, attempt), undo);
    expect(await ownedBy(world, journal.run)).toMatchObject([{ name: restored.id, step: 'restore', removeAfter: null }]);
    expect(await restore.find(facts, journal.run)).toMatchObject({ id: restored.id, resource: restored.resource });
    expect((await restore.inspect(order)).binding).toEqual(facts.binding);
    await settled(journal, 'restore', (attempt) => remove.deleteRestored(facts, attempt), undo);
  });
  test(`${name}: the undo of a swap that never was does nothing`, async () => {
    const world = worldOf();
    const [restore, swap] = [verbs(world, 'restore'), verbs(world, 'swap')];
    const journal = createJournal(`pitr-restore/${world.database}/${newRunId()}`);
    const facts = await restore.inspect({ database: world.database, run: journal.run, keepOldDays: 7 });
    for (const verb of ['nameSourceBack', 'nameRestoredBack', 'closeRestored'] as const) {
      const undo = journal.attempt(verb, { undo: true });
      await swap[verb](facts, undo);
      expect(journal.outcomes.get(undo.key)).toBe('nothing-to-undo');
    }
  });
}
