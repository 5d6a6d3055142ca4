import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createSwitchActivities } from '../../../activities/replication/switch/create-switch-activities.ts';
import { switchFactsOf } from '../../../activities/replication/switch/switch-facts.ts';
import { readAlias } from '../../../activities/pooling/config-file.ts';
import type { Servers } from '../../../activities/postgres/session.ts';
import { Failure } from '../../../domain/failure.ts';
import { eventually } from '../../support/eventually.ts';
import { createNoReturn, withFault } from './faults.ts';
import { asAdmin, createWorld, poolerConsole, startMachines, type Machines, type World, type WorldOptions } from './world.ts';
import { startWriters, type WriterReport, type Writers } from './writers.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

/** A pair in replication with the target closed, and everything that the switch needs. */
async function ready(options: WorldOptions = {}) {
  const world = await createWorld(machines, options);
  let newest = 0;
  const noReturn = createNoReturn(() => newest);
  const activities = createSwitchActivities({ ...world.deps, noReturn });
  await activities.closeTarget(world.migration, world.journal.attempt('close-target'));
  const switchOver = async (servers: Servers = world.servers, signal?: AbortSignal) => {
    const attempt = world.journal.attempt('switch', signal ? { signal } : {});
    newest = attempt.number;
    return await createSwitchActivities({ ...world.deps, servers, noReturn }).switchOver(world.migration, attempt);
  };
  return { world, noReturn, activities, switchOver };
}

function writersOf(endpoints: readonly pg.ClientConfig[]): Writers {
  const writers = startWriters(endpoints, 4);
  onTestFinished(async () => void (await writers.stop()));
  return writers;
}

async function moreWrites(writers: Writers): Promise<void> {
  const count = writers.count();
  await eventually(() => Promise.resolve(writers.count() > count + 50 || undefined));
}

async function lostWrites(world: World, report: WriterReport): Promise<string[]> {
  const there = new Set((await world.target('SELECT client, n FROM writes')).map((row) => `${row.client}/${row.n}`));
  const acknowledged = [...report.acknowledged].flatMap(([client, last]) => Array.from({ length: last }, (_, n) => `${client}/${n + 1}`));
  return acknowledged.filter((one) => !there.has(one));
}

async function failureOf(act: Promise<unknown>): Promise<Failure> {
  const error = await act.then(() => 'it did not fail', (thrown: unknown) => thrown);
  if (error instanceof Failure) return error;
  throw new Error('a Failure was expected', { cause: error });
}

async function limitOf(world: World, side: 'source' | 'target'): Promise<unknown> {
  const [row] = await world[side]('SELECT datconnlimit AS l FROM pg_database WHERE datname = current_database()');
  return row?.l;
}

async function write(world: World): Promise<void> {
  const client = new pg.Client(world.application);
  await client.connect();
  try {
    await client.query(`INSERT INTO orders (note) VALUES ('by hand')`);
  } finally {
    await client.end();
  }
}

async function snapshotsKept(world: World): Promise<number> {
  return (await world.target(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'steadyhand snapshot ${world.journal.tag}'`)).length;
}

describe('a switch that goes through', () => {
  test('with a pooler: clients wait, none meets an error, no write is lost', async () => {
    const { world, activities, switchOver, noReturn } = await ready();
    await activities.gate(world.migration, world.journal.attempt('gate'));
    const writers = writersOf([world.application]);
    await moreWrites(writers);
    const switched = await switchOver();
    await moreWrites(writers);
    const report = await writers.stop();
    expect(report.errors).toEqual([]);
    expect(await lostWrites(world, report)).toEqual([]);
    expect(switched.pauseMs).toBeLessThan(world.migration.limits.pauseMs);
    expect(switched.sequences).toBe(3);
    expect(world.journal.outcomes.get(`${world.journal.run}/switch/1`)).toBe('made');
    expect(await limitOf(world, 'source')).toBe(0);
    expect(await limitOf(world, 'target')).toBe(-1);
    const [late] = await world.source('SELECT count(*)::int AS n FROM writes');
    const [now] = await world.target('SELECT count(*)::int AS n FROM writes');
    expect(Number(now?.n)).toBeGreaterThan(Number(late?.n));
    expect((await noReturn.read(world.journal.run))?.side).toBe('forward');
    expect(await snapshotsKept(world)).toBe(1);
  });

  test('without a pooler: sessions are ended and come back on the new side', async () => {
    const { world, switchOver } = await ready({ pooler: false });
    const endpoints = [machines.source.port, machines.target.port].map((port) => ({ ...world.application, port }));
    const writers = writersOf(endpoints);
    await moreWrites(writers);
    await switchOver();
    await moreWrites(writers);
    expect(await lostWrites(world, await writers.stop())).toEqual([]);
  });

  test('sequences go on where they stopped, in both directions, never backwards', async () => {
    const { world, switchOver } = await ready();
    await world.target(`SELECT setval('orders_id_seq', 100000)`);
    const before = await world.source(`SELECT nextval('tickets') AS up, nextval('countdown') AS down`);
    await switchOver();
    const after = await world.target(`SELECT nextval('tickets') AS up, nextval('countdown') AS down, nextval('orders_id_seq') AS kept`);
    expect(after[0]).toEqual({ up: String(Number(before[0]?.up) + 5), down: String(Number(before[0]?.down) - 1), kept: '100001' });
  });

  test('a superuser who writes directly is ended and locked out', async () => {
    const { world, switchOver, activities } = await ready();
    const role = `root_${world.journal.tag.slice(-8)}`;
    await world.source(`CREATE ROLE "${role}" SUPERUSER LOGIN PASSWORD 'root'`);
    onTestFinished(async () => void (await asAdmin(machines.source, 'postgres', `DROP ROLE "${role}"`)));
    const direct = { ...world.application, port: machines.source.port, database: world.dbname, user: role, password: 'root' };
    const client = new pg.Client(direct);
    client.on('error', () => undefined);
    await client.connect();
    const broken = withFault(world.servers, 'orders', 'steadyhand.marker', new Failure('server-error', 'no disk'));
    expect((await failureOf(switchOver(broken))).code).toBe('switch-abandoned');
    const again = new pg.Client(direct);
    again.on('error', () => undefined);
    await again.connect();
    await switchOver();
    await expect(again.query('SELECT 1')).rejects.toThrow();
    const third = new pg.Client(direct);
    third.on('error', () => undefined);
    await expect(third.connect()).rejects.toThrow(/not permitted to log in/);
    expect((await failureOf(activities.switchBack(world.migration, world.journal.attempt('switch', { undo: true })))).code).toBe('conflict');
    await client.end().catch(() => undefined);
  });
});

describe('a switch that fails before "no return"', () => {
  const parts: [string, 'orders' | 'orders-next', string][] = [
    ['fence', 'orders', 'CONNECTION LIMIT 0'],
    ['same tables', 'orders', 'steadyhand.marker'],
    ['durable', 'orders-next', 'steadyhand.marker'],
    ['sequences', 'orders-next', 'setval'],
    ['snapshot', 'orders-next', 'pg_export_snapshot'],
  ];

  test('at each part: the old side serves again before it throws, and the next attempt goes forward', async () => {
    const { world, switchOver, noReturn } = await ready();
    const writers = writersOf([world.application]);
    await moreWrites(writers);
    for (const [part, database, text] of parts) {
      const failure = await failureOf(switchOver(withFault(world.servers, database, text, new Failure('server-error', 'no disk'))));
      expect([failure.code, failure.facts.part]).toEqual(['switch-abandoned', part]);
      expect(await limitOf(world, 'source'), part).toBe(-1);
      await write(world);
    }
    noReturn.next = 'refuse-connection';
    const refused = await failureOf(switchOver());
    expect([refused.code, refused.facts.part, refused.facts.because]).toEqual(['switch-abandoned', 'no return', 'control-database-unavailable']);
    expect(await snapshotsKept(world)).toBe(0);
    expect(await noReturn.read(world.journal.run)).toBeNull();
    await write(world);

    await switchOver();
    await moreWrites(writers);
    const report = await writers.stop();
    expect(report.errors).toEqual([]);
    expect(await lostWrites(world, report)).toEqual([]);
  });

  test('a transaction that does not end: PAUSE is given up within the budget, and clients go on', async () => {
    const { world, switchOver } = await ready({ pauseMs: 400 });
    const open = new pg.Client(world.application);
    await open.connect();
    const writers = writersOf([world.application]);
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

  test('a transaction older than the budget: refused before anything is held up', async () => {
    const { world, switchOver, activities } = await ready({ pauseMs: 200 });
    const open = new pg.Client({ ...world.application, port: machines.source.port, database: world.dbname });
    await open.connect();
    await open.query('BEGIN');
    await eventually(async () => ((await open.query(`SELECT 1 WHERE clock_timestamp() - now() > interval '300 ms'`)).rowCount ?? 0) > 0 || undefined);
    expect((await failureOf(activities.gate(world.migration, world.journal.attempt('gate')))).code).toBe('not-yet');
    expect((await failureOf(switchOver())).code).toBe('source-busy');
    expect(await limitOf(world, 'source')).toBe(-1);
    await open.query('COMMIT');
    await open.end();
  });

  test('the target does not apply: given up within the budget', async () => {
    const { world, switchOver, activities } = await ready({ pauseMs: 500 });
    await world.target(`ALTER SUBSCRIPTION "${world.journal.tag}" DISABLE`);
    expect((await failureOf(activities.gate(world.migration, world.journal.attempt('gate')))).code).toBe('replication-failed');
    const failure = await failureOf(switchOver());
    expect([failure.code, failure.facts.part]).toEqual(['switch-abandoned', 'marker']);
    await write(world);
    await world.target(`ALTER SUBSCRIPTION "${world.journal.tag}" ENABLE`);
    await switchOver();
  });

  test('a table that the subscription does not carry', async () => {
    const { world, switchOver, activities } = await ready();
    await world.source('CREATE TABLE forgotten (id int PRIMARY KEY)');
    const gate = await failureOf(activities.gate(world.migration, world.journal.attempt('gate')));
    expect(gate.code).toBe('objects-differ');
    const failure = await failureOf(switchOver());
    expect(failure.code).toBe('objects-differ');
    expect(failure.message).toContain('public.forgotten');
    await write(world);
  });

  test('another alias that leads to the same database', async () => {
    const { world, switchOver } = await ready();
    const { pooler } = world.servers.entry('orders');
    const { addAlias, dropAlias } = await import('../../../activities/pooling/config-file.ts');
    const address = world.facts.binding.pooler;
    if (!pooler || !address) throw new Error('this world has a pooler');
    await addAlias(pooler.configFile, 'orders_read', pooler.alias, address);
    const failure = await failureOf(switchOver());
    expect([failure.code, failure.facts.shared]).toEqual(['conflict', ['orders_read']]);
    await dropAlias(pooler.configFile, 'orders_read');
    await switchOver();
  });

  test('the run is cancelled in the middle: service first, then the reason of the cancel', async () => {
    const { world, switchOver } = await ready();
    const cancel = new AbortController();
    const hung = withFault(world.servers, 'orders-next', 'setval', async () => {
      cancel.abort(new Failure('cancelled', 'by Ada'));
      await new Promise(() => undefined);
    });
    expect((await failureOf(switchOver(hung, cancel.signal))).message).toBe('by Ada');
    expect(await limitOf(world, 'source')).toBe(-1);
    await write(world);
  });
});

describe('attempts that overlap or follow', () => {
  test('an attempt that froze touches nothing when a newer one has switched', async () => {
    const { world, switchOver } = await ready({ pauseMs: 500 });
    let thaw = (): void => undefined;
    const frozen = new Promise<void>((resolve) => {
      thaw = resolve;
    });
    let atPart = false;
    const first = switchOver(withFault(world.servers, 'orders-next', 'setval', async () => {
      atPart = true;
      // As long as the budget may run out, this one only finds out later that it was overtaken.
      await frozen;
    })).then(() => undefined, (error: unknown) => error);
    await eventually(() => Promise.resolve(atPart || undefined));
    await switchOver();
    thaw();
    expect((await failureOf(Promise.reject(await first))).code).toBe('superseded');
    expect(await limitOf(world, 'source')).toBe(0);
    const { pooler } = world.servers.entry('orders');
    expect((await readAlias(pooler?.configFile ?? '', pooler?.alias ?? ''))?.port).toBe(machines.target.port);
    await write(world);
  });

  test('the answer of "no return" is lost: it is asked again, and goes forward', async () => {
    const { world, switchOver, noReturn } = await ready();
    noReturn.next = 'lose-answer';
    await switchOver();
    expect(noReturn.decides).toBe(2);
    await write(world);
  });

  test('after "forward" a new attempt only finishes, and a third finds it done', async () => {
    const { world, switchOver } = await ready();
    const stuck = new AbortController();
    const crashed = withFault(world.servers, 'orders-next', 'CONNECTION LIMIT -1', async () => {
      stuck.abort(new Failure('worker-lost', 'gone'));
      throw new Failure('unreachable', 'gone');
    });
    expect((await failureOf(switchOver(crashed, stuck.signal))).code).toBe('pooler-failed');
    const { pooler } = world.servers.entry('orders');
    const alias = (await poolerConsole(machines, 'SHOW DATABASES')).find((row) => row.name === pooler?.alias);
    expect(Number(alias?.paused)).toBe(1);
    const second = await switchOver();
    expect(second.parts.map((one) => one.part)).toContain('taken up by attempt 2');
    await write(world);
    const third = await switchOver();
    expect(third.parts.map((one) => one.part)).toContain('resumed before attempt 3 looked');
    expect(third.markerLsn).toBe(second.markerLsn);
    expect(await limitOf(world, 'source')).toBe(0);
  });

  test('going back: right when nothing began, and when a failed attempt left everything held up', async () => {
    const { world, switchOver, activities, noReturn } = await ready();
    const undo = (): Promise<void> => activities.switchBack(world.migration, world.journal.attempt('switch', { undo: true }));
    await undo();
    expect(world.journal.outcomes.get(`${world.journal.run}/switch/1/undo`)).toBe('nothing-to-undo');
    await failureOf(switchOver(withFault(world.servers, 'orders-next', 'setval', new Failure('server-error', 'no disk'))));
    const { pooler } = world.servers.entry('orders');
    await poolerConsole(machines, `PAUSE ${pooler?.alias}`);
    await world.source(`ALTER DATABASE "${world.dbname}" CONNECTION LIMIT 0`);
    await undo();
    await undo();
    expect(await limitOf(world, 'source')).toBe(-1);
    expect(await noReturn.read(world.journal.run)).toBeNull();
    await write(world);
    await switchOver();
    expect(switchFactsOf((await noReturn.read(world.journal.run))?.facts ?? {}).attempt).toBe(2);
  });

  test('closing the target: who is in leaves, repeating is harmless, undo opens it', async () => {
    const world = await createWorld(machines, { pooler: false });
    const activities = createSwitchActivities({ ...world.deps, noReturn: createNoReturn(() => 1) });
    const config = { ...world.application, port: machines.target.port };
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
