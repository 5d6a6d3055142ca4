import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../../domain/failure.ts';
import { pooled } from '../../support/pooled.ts';
import { beforeLook, withFault } from './faults.ts';
import { failureOf, limitOf, moreWrites, ready, snapshotsKept, writersOf } from './ready.ts';
import { asAdmin, startMachines, type Machines } from './machines.ts';
import { lostWrites } from './writers.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

describe('a switch that goes through', () => {
  test.each(pooled ? [true, false] : [false])('no write is lost, and with PgBouncer (%s) no client meets an error', async (pooler) => {
    const { world, activities, switchOver, noReturn } = await ready(machines, { pooler });
    await activities.gate(world.migration, world.journal.attempt('gate'));
    const writers = writersOf(world.ways);
    await moreWrites(writers);
    const switched = await switchOver();
    await moreWrites(writers);
    const report = await writers.stop();
    if (pooler) expect(report.errors).toEqual([]);
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

  test('what others have written on the target and not committed yet holds up nothing', async () => {
    const { world, switchOver } = await ready(machines);
    const { host, port, password } = machines.target;
    const other = new pg.Client({ host, port, password, user: 'postgres', database: 'postgres' });
    await other.connect();
    onTestFinished(async () => await other.end());
    await other.query('BEGIN');
    const servers = beforeLook(world.servers, 'orders-next', 'pg_current_wal_insert_lsn', async () => {
      await other.query(`SELECT pg_logical_emit_message(true, 'test', 'written, not flushed')`);
    });
    await switchOver(servers);
  });

  test('sequences go on where they stopped, in both directions, never backwards', async () => {
    const { world, switchOver } = await ready(machines);
    await world.target(`SELECT setval('orders_id_seq', 100000)`);
    const before = await world.source(`SELECT nextval('tickets') AS up, nextval('countdown') AS down`);
    await switchOver();
    const after = await world.target(`SELECT nextval('tickets') AS up, nextval('countdown') AS down, nextval('orders_id_seq') AS kept`);
    expect(after[0]).toEqual({ up: String(Number(before[0]?.up) + 5), down: String(Number(before[0]?.down) - 1), kept: '100001' });
  });

  test('a superuser who writes directly is ended and locked out', async () => {
    const { world, switchOver, activities } = await ready(machines);
    const role = `root_${world.journal.tag.slice(-8)}`;
    await world.source(`CREATE ROLE "${role}" SUPERUSER LOGIN PASSWORD 'root'`);
    onTestFinished(async () => void (await asAdmin(machines.source, 'postgres', `DROP ROLE "${role}"`)));
    const direct = { ...world.ways[0], port: machines.source.port, database: world.dbname, user: role, password: 'root' };
    const client = new pg.Client(direct);
    client.on('error', () => undefined);
    await client.connect();
    const broken = withFault(world.servers, 'orders', 'pg_logical_emit_message', new Failure('server-error', 'no disk'));
    expect((await failureOf(switchOver(broken))).code).toBe('switch-abandoned');
    const again = new pg.Client(direct);
    again.on('error', () => undefined);
    await again.connect();
    await switchOver();
    await expect(again.query('SELECT 1')).rejects.toThrow();
    const third = new pg.Client(direct);
    third.on('error', () => undefined);
    await expect(third.connect()).rejects.toThrow(/not permitted to log in/);
    expect((await failureOf(activities.switchBack(world.migration, world.journal.attempt('switch', { undo: true })))).code).toBe(
      'conflict',
    );
    await client.end().catch(() => undefined);
  });
});
