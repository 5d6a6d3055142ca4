import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { addAlias, dropAlias, writeAlias } from '../../../activities/pooling/config-file.ts';
import { createSwitchActivities } from '../../../activities/replication/switch/create-switch-activities.ts';
import { Failure } from '../../../domain/failure.ts';
import { eventually } from '../../support/eventually.ts';
import { pooled } from '../../support/pooled.ts';
import { startTap } from '../../support/tap.ts';
import { withFault } from './faults.ts';
import { failureOf, limitOf, moreWrites, ready, snapshotsKept, write, writersOf } from './ready.ts';
import { poolerConsole, startMachines, type Machines } from './machines.ts';
import { lostWrites } from './writers.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

describe('a switch that fails before "no return"', () => {
  const parts: [string, 'orders' | 'orders-next', string][] = [
    ['fence', 'orders', 'CONNECTION LIMIT 0'],
    ['same tables', 'orders', 'pg_logical_emit_message'],
    ['durable', 'orders-next', 'pg_logical_emit_message'],
    ['sequences', 'orders-next', 'setval'],
    ['snapshot', 'orders-next', 'pg_export_snapshot'],
  ];

  test('at each part: the old side serves again before it throws, and the next attempt goes forward', async () => {
    const { world, switchOver, noReturn } = await ready(machines);
    const writers = writersOf(world.ways);
    await moreWrites(writers);
    for (const [part, database, text] of parts) {
      const failure = await failureOf(switchOver(withFault(world.servers, database, text, new Failure('server-error', 'no disk'))));
      expect([failure.code, failure.facts.part]).toEqual(['switch-abandoned', part]);
      expect(await limitOf(world, 'source'), part).toBe(-1);
      await write(world);
    }
    noReturn.next = 'refuse-connection';
    const refused = await failureOf(switchOver());
    expect([refused.code, refused.facts.part, refused.facts.because]).toEqual([
      'switch-abandoned',
      'no return',
      'control-database-unavailable',
    ]);
    expect(await snapshotsKept(world)).toBe(0);
    expect(await noReturn.read(world.journal.run)).toBeNull();
    await write(world);

    await switchOver();
    await moreWrites(writers);
    const report = await writers.stop();
    if (pooled) expect(report.errors).toEqual([]);
    expect(await lostWrites(world, report)).toEqual([]);
  });

  test('a transaction older than the budget: refused before anything is held up', async () => {
    const { world, switchOver, activities } = await ready(machines, { pauseMs: 200 });
    const open = new pg.Client({ ...world.ways[0], port: machines.source.port, database: world.dbname });
    await open.connect();
    await open.query('BEGIN');
    await eventually(
      async () => ((await open.query(`SELECT 1 WHERE clock_timestamp() - now() > interval '300 ms'`)).rowCount ?? 0) > 0 || undefined,
    );
    expect((await failureOf(activities.gate(world.migration, world.journal.attempt('gate')))).code).toBe('not-yet');
    expect((await failureOf(switchOver())).code).toBe('source-busy');
    expect(await limitOf(world, 'source')).toBe(-1);
    await open.query('COMMIT');
    await open.end();
  });

  test('the target does not apply: given up within the budget', async () => {
    const { world, switchOver, activities } = await ready(machines, { pauseMs: 500 });
    await world.target(`ALTER SUBSCRIPTION "${world.journal.tag}" DISABLE`);
    expect((await failureOf(activities.gate(world.migration, world.journal.attempt('gate')))).code).toBe('replication-failed');
    const failure = await failureOf(switchOver());
    expect([failure.code, failure.facts.part]).toEqual(['switch-abandoned', 'marker']);
    await write(world);
    await world.target(`ALTER SUBSCRIPTION "${world.journal.tag}" ENABLE`);
    await switchOver();
  });

  test('a subscription of the source: refused before anybody is held up, given up when it is enabled in the pause', async () => {
    const { world, switchOver } = await ready(machines);
    // Nothing answers there: that it is enabled is enough, since its worker starts again and again.
    await world.source(`CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 port=1' PUBLICATION news WITH (connect = false)`);
    await world.source('ALTER SUBSCRIPTION feed ENABLE');
    expect(await failureOf(switchOver())).toMatchObject({ code: 'source-busy', message: expect.stringContaining('"feed"') as string });
    expect(await limitOf(world, 'source')).toBe(-1);
    await world.source('ALTER SUBSCRIPTION feed DISABLE');
    const enabling = withFault(
      world.servers,
      'orders-next',
      'setval',
      async () => void (await world.source('ALTER SUBSCRIPTION feed ENABLE')),
    );
    const failure = await failureOf(switchOver(enabling));
    expect([failure.code, failure.facts.part]).toEqual(['switch-abandoned', 'still held']);
    expect(failure.message).toContain('the subscription feed is enabled');
    await write(world);
    for (const change of ['ALTER SUBSCRIPTION feed DISABLE', 'ALTER SUBSCRIPTION feed SET (slot_name = NONE)', 'DROP SUBSCRIPTION feed'])
      await world.source(change);
    await switchOver();
  });

  test('a table that the subscription does not carry', async () => {
    const { world, switchOver, activities } = await ready(machines);
    await world.source('CREATE TABLE forgotten (id int PRIMARY KEY)');
    const gate = await failureOf(activities.gate(world.migration, world.journal.attempt('gate')));
    expect(gate.code).toBe('objects-differ');
    const failure = await failureOf(switchOver());
    expect(failure.code).toBe('objects-differ');
    expect(failure.message).toContain('public.forgotten');
    await write(world);
  });

  test('the process stood still, and the step is another attempt’s: nothing is held up, and traffic is left to that one', async () => {
    const { world, activities } = await ready(machines);
    const stoodStill = (): never => {
      throw new Failure('superseded', 'this worker stood still');
    };
    const attempt = { ...world.journal.attempt('switch'), alive: stoodStill };
    expect((await failureOf(activities.switchOver(world.migration, attempt))).code).toBe('superseded');
    expect(await limitOf(world, 'source')).toBe(-1);
    await write(world);
  });

  test('the run is cancelled in the middle: service first, then the reason of the cancel', async () => {
    const { world, switchOver } = await ready(machines);
    const cancel = new AbortController();
    const hung = withFault(world.servers, 'orders-next', 'setval', async () => {
      cancel.abort(new Failure('cancelled', 'by Ada'));
      await new Promise(() => undefined);
    });
    expect((await failureOf(switchOver(hung, cancel.signal))).message).toBe('by Ada');
    expect(await limitOf(world, 'source')).toBe(-1);
    await write(world);
  });

  if (pooled) {
    test('a transaction that does not end: PAUSE is given up within the budget, and clients go on', async () => {
      const { world, switchOver } = await ready(machines, { pauseMs: 400 });
      const open = new pg.Client(world.ways[0]);
      await open.connect();
      const writers = writersOf(world.ways);
      await moreWrites(writers);
      await open.query('BEGIN');
      await open.query('SELECT 1');
      const failure = await failureOf(switchOver());
      expect([failure.code, failure.facts.part]).toEqual(['switch-abandoned', 'pause']);
      expect(Number(failure.facts.heldMs)).toBeLessThan(1_500);
      await open.query('COMMIT');
      await moreWrites(writers);
      expect((await writers.stop()).errors).toEqual([]);
      await open.end();
    });

    test('a login of the pooler’s own is under way: it is waited for, since a PAUSE would end it, and clients be refused after it', async () => {
      const { world, noReturn } = await ready(machines);
      const { servers, facts, journal, migration } = world;
      const { pooler } = servers.entry('orders');
      const address = facts.binding.pooler;
      if (!pooler || !address) throw new Error('this world has a pooler');
      const tap = await startTap(machines.source);
      onTestFinished(async () => await tap.close());
      const slow = { ...address, port: tap.port };
      await writeAlias(pooler.configFile, pooler.alias, slow);
      await poolerConsole(machines, 'RELOAD');
      const [first, second] = [new pg.Client(world.ways[0]), new pg.Client(world.ways[0])];
      await first.connect();
      await first.query('BEGIN');
      await second.connect();
      const login = Promise.withResolvers<void>();
      const held = tap.set({ statement: /user\0app\0/, when: 'sent', spring: async () => await login.promise });
      const asked = second.query('SELECT 1');
      await eventually(async () => (await poolerConsole(machines, 'SHOW POOLS')).some((row) => Number(row['sv_login']) > 0) || undefined);
      await first.query('COMMIT');
      await asked;

      const attempt = journal.attempt('switch');
      const broken = withFault(servers, 'orders-next', 'pg_export_snapshot', new Failure('server-error', 'no disk'));
      const planned = { ...facts, binding: { ...facts.binding, pooler: slow } };
      const deps = { ...world.deps, servers: broken, facts: () => Promise.resolve(planned), noReturn };
      const failing = failureOf(createSwitchActivities(deps).switchOver(migration, attempt));
      const sessions = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'steadyhand switch'";
      await eventually(async () => (await world.source(sessions)).length > 0 || undefined);
      const began = performance.now();
      await eventually(() => Promise.resolve(performance.now() - began > 600 || undefined));
      login.resolve();
      await held;
      expect((await failing).code).toBe('switch-abandoned');
      for (const client of [first, second]) {
        await client.query('SELECT 1');
        await client.end();
      }
    });

    test('another alias that leads to the same database', async () => {
      const { world, switchOver } = await ready(machines);
      const { pooler } = world.servers.entry('orders');
      const address = world.facts.binding.pooler;
      if (!pooler || !address) throw new Error('this world has a pooler');
      await addAlias(pooler.configFile, 'orders_read', pooler.alias, address);
      const failure = await failureOf(switchOver());
      expect([failure.code, failure.facts.shared]).toEqual(['conflict', ['orders_read']]);
      await dropAlias(pooler.configFile, 'orders_read');
      await switchOver();
    });
  }
});
