import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { pause, resume } from '../../../activities/pooling/commands.ts';
import { addAlias } from '../../../activities/pooling/config-file.ts';
import { createPoolingActivities } from '../../../activities/pooling/create-pooling-activities.ts';
import { openConsole } from '../../../activities/pooling/pgbouncer.ts';
import { Failure } from '../../../domain/failure.ts';
import { asAdmin, poolerConsole, startMachines, type Machines } from '../switch/machines.ts';
import { createWorld, type World } from '../switch/world.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

function poolerOf(world: World) {
  const { pooler } = world.servers.entry('orders');
  if (!pooler) throw new Error('this world has a pooler');
  return pooler;
}

async function aliases(world: World): Promise<unknown[]> {
  const { alias } = poolerOf(world);
  return (await poolerConsole(machines, 'SHOW DATABASES')).map((row) => row.name).filter((name) => String(name).startsWith(alias));
}

async function failureOf(act: Promise<unknown>): Promise<Failure> {
  const error = await act.then(
    () => 'it did not fail',
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error('a Failure was expected', { cause: error });
}

describe('trying the new side through the pooler', () => {
  test('every user gets the locks of a write, and nothing is left', async () => {
    const world = await createWorld(machines);
    const before = await readFile(poolerOf(world).configFile, 'utf8');
    const activities = createPoolingActivities(world.deps);
    expect(await activities.tryAlias(world.migration, world.journal.attempt('try-alias'))).toEqual({ users: 1 });
    expect(await readFile(poolerOf(world).configFile, 'utf8')).toBe(before);
    expect(await aliases(world)).toEqual([poolerOf(world).alias]);
    await activities.removeAlias(world.migration, world.journal.attempt('try-alias', { undo: true }));
    expect(world.journal.outcomes.get(`${world.journal.run}/try-alias/1/undo`)).toBe('undone');
  });

  test('after a reset, when the run has closed the target, what was proved stands', async () => {
    const world = await createWorld(machines);
    const activities = createPoolingActivities(world.deps);
    await activities.tryAlias(world.migration, world.journal.attempt('try-alias'));
    await world.target(`ALTER DATABASE "${world.dbname}" CONNECTION LIMIT 0`);
    expect(await activities.tryAlias(world.migration, world.journal.attempt('try-alias'))).toEqual({ users: 1 });
    expect(world.journal.outcomes.get(`${world.journal.run}/try-alias/1`)).toBe('adopted');
    const again = world.journal.attempt('try-alias', { generation: 2 });
    expect(await failureOf(activities.tryAlias(world.migration, again))).toMatchObject({ code: 'conflict' });
  });

  test.each([
    ['a missing grant', 'REVOKE UPDATE ON orders FROM app', 'privilege-missing', 'UPDATE on public.orders'],
    ['no right to connect', 'REVOKE CONNECT ON DATABASE %db FROM public', 'privilege-missing', 'permission denied for database'],
    ['a target that is closed', 'ALTER DATABASE %db CONNECTION LIMIT 0', 'conflict', 'too many connections'],
  ])('%s is named with the user', async (_name, change, code, words) => {
    const world = await createWorld(machines);
    await world.target(change.replace('%db', `"${world.dbname}"`));
    const failure = await failureOf(createPoolingActivities(world.deps).tryAlias(world.migration, world.journal.attempt('try-alias')));
    expect(failure.message).toContain(words);
    expect([failure.code, failure.facts.user]).toEqual([code, 'app']);
    expect(await aliases(world)).toEqual([poolerOf(world).alias]);
  });

  test('a password that the new side does not know', async () => {
    const world = await createWorld(machines);
    await asAdmin(machines.target, 'postgres', `ALTER ROLE app PASSWORD 'another'`);
    onTestFinished(async () => void (await asAdmin(machines.target, 'postgres', `ALTER ROLE app PASSWORD '${machines.appPassword}'`)));
    const failure = await failureOf(createPoolingActivities(world.deps).tryAlias(world.migration, world.journal.attempt('try-alias')));
    expect([failure.code, failure.facts.user]).toEqual(['login-refused', 'app']);
    expect(failure.message).not.toContain(machines.appPassword);
  });

  test('an alias that leads to another server than the plan’s', async () => {
    const world = await createWorld(machines);
    const { binding } = world.facts;
    const facts = { ...world.facts, binding: { ...binding, target: { ...binding.target, systemIdentifier: '1' } } };
    const deps = { ...world.deps, facts: async () => await Promise.resolve(facts) };
    const failure = await failureOf(createPoolingActivities(deps).tryAlias(world.migration, world.journal.attempt('try-alias')));
    expect([failure.code, failure.facts.user]).toEqual(['identity-changed', 'app']);
    expect(await aliases(world)).toEqual([poolerOf(world).alias]);
  });

  test('the undo when a crash left the alias, and when nothing was ever done', async () => {
    const world = await createWorld(machines);
    const activities = createPoolingActivities(world.deps);
    await activities.removeAlias(world.migration, world.journal.attempt('try-alias', { undo: true }));
    expect(world.journal.outcomes.get(`${world.journal.run}/try-alias/1/undo`)).toBe('nothing-to-undo');
    const pooler = poolerOf(world);
    await world.journal.attempt('try-alias').intend({});
    await addAlias(pooler.configFile, `${pooler.alias}_steadyhand_next`, pooler.alias, world.facts.binding.target);
    await poolerConsole(machines, 'RELOAD');
    expect(await aliases(world)).toHaveLength(2);
    await activities.removeAlias(world.migration, world.journal.attempt('try-alias', { undo: true }));
    expect(await aliases(world)).toHaveLength(1);
  });
});

describe('the admin console', () => {
  test('PAUSE and RESUME may be repeated; an unknown alias is an error', async () => {
    const world = await createWorld(machines);
    const pooler = poolerOf(world);
    const console = await openConsole(pooler, await world.servers.secret(pooler.admin.secret));
    onTestFinished(() => console.end());
    for (const command of [pause(pooler.alias), pause(pooler.alias)]) await console.run(command, 1_000);
    expect((await console.alias(pooler.alias, 1_000))?.paused).toBe(true);
    for (const command of [resume(pooler.alias), resume(pooler.alias)]) await console.run(command, 1_000);
    expect(await console.alias(pooler.alias, 1_000)).toMatchObject({ paused: false, port: machines.source.port, dbname: world.dbname });
    await expect(console.run(pause('nobody'), 1_000)).rejects.toMatchObject({ code: 'pooler-failed' });
    expect(await console.alias('nobody', 1_000)).toBeUndefined();
  });

  test('a wrong password is told without it', async () => {
    const world = await createWorld(machines);
    const failure = await failureOf(openConsole(poolerOf(world), 'not-the-password'));
    expect(failure.code).toBe('pooler-failed');
    expect(failure.message).not.toContain('not-the-password');
  });
});
