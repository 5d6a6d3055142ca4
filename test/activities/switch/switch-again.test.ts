import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Servers } from '../../../activities/postgres/session.ts';
import { createSwitchActivities } from '../../../activities/replication/switch/create-switch-activities.ts';
import { switchFactsOf } from '../../../activities/replication/switch/switch-facts.ts';
import { readAlias } from '../../../activities/pooling/config-file.ts';
import { Failure } from '../../../domain/failure.ts';
import { eventually } from '../../support/eventually.ts';
import { createNoReturn, withFault } from './faults.ts';
import { failureOf, limitOf, ready, write } from './ready.ts';
import { asAdmin, poolerConsole, startMachines, type Machines } from './machines.ts';
import { createWorld } from './world.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

describe('attempts that overlap or follow', () => {
  test('an attempt that froze touches nothing when a newer one has switched', async () => {
    const { world, switchOver } = await ready(machines, { pauseMs: 500 });
    let thaw = (): void => undefined;
    const frozen = new Promise<void>((resolve) => {
      thaw = resolve;
    });
    let atPart = false;
    const first = switchOver(
      withFault(world.servers, 'orders-next', 'setval', async () => {
        atPart = true;
        // As long as the budget may run out, this one only finds out later that it was overtaken.
        await frozen;
      }),
    ).then(
      () => undefined,
      (error: unknown) => error,
    );
    await eventually(() => Promise.resolve(atPart || undefined));
    await switchOver();
    thaw();
    expect((await failureOf(Promise.reject(await first))).code).toBe('superseded');
    expect(await limitOf(world, 'source')).toBe(0);
    const { pooler } = world.servers.entry('orders');
    if (pooler) expect((await readAlias(pooler.configFile, pooler.alias))?.port).toBe(machines.target.port);
    await write(world);
  });

  test('the answer of "no return" is lost: it is asked again, and goes forward', async () => {
    const { world, switchOver, noReturn } = await ready(machines);
    noReturn.next = 'lose-answer';
    await switchOver();
    expect(noReturn.decides).toBe(2);
    await write(world);
  });

  test('after "forward" a new attempt only finishes, and a third finds it done', async () => {
    const { world, switchOver } = await ready(machines);
    const stuck = new AbortController();
    const crashed = withFault(world.servers, 'orders-next', 'CONNECTION LIMIT -1', async () => {
      stuck.abort(new Failure('worker-lost', 'gone'));
      throw new Failure('unreachable', 'gone');
    });
    expect((await failureOf(switchOver(crashed, stuck.signal))).code).toBe('pooler-failed');
    const { pooler } = world.servers.entry('orders');
    if (pooler) {
      const alias = (await poolerConsole(machines, 'SHOW DATABASES')).find((row) => row.name === pooler.alias);
      expect(Number(alias?.paused)).toBe(1);
    }
    expect([await limitOf(world, 'source'), await limitOf(world, 'target')]).toEqual([0, 0]);
    const second = await switchOver();
    expect(second.parts.map((one) => one.part)).toContain('taken up by attempt 2');
    await write(world);
    const third = await switchOver();
    // Without a pooler nobody can tell that traffic goes already.
    expect(third.parts.map((one) => one.part)).toContain(pooler ? 'resumed before attempt 3 looked' : 'taken up by attempt 3');
    expect(third.markerLsn).toBe(second.markerLsn);
    expect(await limitOf(world, 'source')).toBe(0);
  });

  test('going back: right when nothing began, and when a failed attempt left everything held up', async () => {
    const { world, switchOver, activities, noReturn } = await ready(machines);
    const undo = (): Promise<void> => activities.switchBack(world.migration, world.journal.attempt('switch', { undo: true }));
    await undo();
    expect(world.journal.outcomes.get(`${world.journal.run}/switch/1/undo`)).toBe('nothing-to-undo');
    await failureOf(switchOver(withFault(world.servers, 'orders-next', 'setval', new Failure('server-error', 'no disk'))));
    const { pooler } = world.servers.entry('orders');
    if (pooler) await poolerConsole(machines, `PAUSE ${pooler.alias}`);
    await world.source(`ALTER DATABASE "${world.dbname}" CONNECTION LIMIT 0`);
    await undo();
    await undo();
    expect(await limitOf(world, 'source')).toBe(-1);
    expect(await noReturn.read(world.journal.run)).toBeNull();
    await write(world);
    await switchOver();
    expect(switchFactsOf((await noReturn.read(world.journal.run))?.facts ?? {}).attempt).toBe(2);
  });

  test('an attempt that fails before it looks lets in whom an earlier one has locked out, and no superuser whom people have disabled', async () => {
    const { world, noReturn } = await ready(machines, { pooler: false });
    const [locked, disabled] = ['locked', 'disabled'].map((name) => `${name}_${world.journal.tag.slice(-8)}`);
    await world.source(`CREATE ROLE "${locked}" SUPERUSER NOLOGIN; CREATE ROLE "${disabled}" SUPERUSER NOLOGIN`);
    onTestFinished(async () => void (await asAdmin(machines.source, 'postgres', `DROP ROLE "${locked}", "${disabled}"`)));
    await world.journal.attempt('switch').intend({ superusers: [locked], sourceLimit: -1 });
    const { source } = world.facts.binding;
    const roles = [locked, disabled].map((name) => ({ name: String(name), login: true, superuser: true }));
    const facts = { ...world.facts, binding: { ...world.facts.binding, source: { ...source, roles: [...source.roles, ...roles] } } };
    const servers: Servers = {
      ...world.servers,
      open: async (name, opening) => {
        if (name === 'orders-next') throw new Failure('unreachable', 'it is away');
        return await world.servers.open(name, opening);
      },
    };
    const activities = createSwitchActivities({ ...world.deps, servers, facts: () => Promise.resolve(facts), noReturn });
    expect((await failureOf(activities.switchOver(world.migration, world.journal.attempt('switch')))).code).toBe('unreachable');
    expect(
      await world.source(`SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND rolname IN ('${locked}', '${disabled}')`),
    ).toEqual([{ name: locked }]);
  });

  test('closing the target: who is in leaves, repeating is harmless, undo opens it', async () => {
    const world = await createWorld(machines, { pooler: false });
    const activities = createSwitchActivities({ ...world.deps, noReturn: createNoReturn(() => 1) });
    const config = { ...world.ways[0], port: machines.target.port };
    const inside = new pg.Client(config);
    inside.on('error', () => undefined);
    await inside.connect();
    await activities.closeTarget(world.migration, world.journal.attempt('close-target'));
    await activities.closeTarget(world.migration, world.journal.attempt('close-target'));
    await expect(inside.query('SELECT 1')).rejects.toThrow();
    await expect(new pg.Client(config).connect()).rejects.toThrow(/too many connections/);
    const undo = (): Promise<void> => activities.reopenTarget(world.migration, world.journal.attempt('close-target', { undo: true }));
    await undo();
    await undo();
    const client = new pg.Client(config);
    await client.connect();
    await client.end();
  });
});
