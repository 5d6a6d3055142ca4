import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../../domain/failure.ts';
import { withFault } from './faults.ts';
import { asAdmin, startMachines, type Machines } from './machines.ts';
import { failureOf, ready } from './ready.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

/** Two databases of one server, each about to be switched by a run of its own, and a superuser that is inside both. */
async function twoRuns() {
  const [one, two] = [await ready(machines, { pooler: false }), await ready(machines, { pooler: false })];
  const role = `root_${one.world.journal.tag.slice(-8)}`;
  await asAdmin(machines.source, 'postgres', `CREATE ROLE "${role}" SUPERUSER LOGIN PASSWORD 'root'`);
  onTestFinished(async () => void (await asAdmin(machines.source, 'postgres', `DROP ROLE "${role}"`)));
  for (const { world } of [one, two]) {
    const client = new pg.Client({ ...world.ways[0], port: machines.source.port, database: world.dbname, user: role, password: 'root' });
    client.on('error', () => undefined);
    await client.connect();
    onTestFinished(async () => await client.end().catch(() => undefined));
  }
  const mayLogIn = async (): Promise<unknown> => {
    const [row] = await asAdmin(machines.source, 'postgres', `SELECT rolcanlogin AS may FROM pg_roles WHERE rolname = '${role}'`);
    return row?.['may'];
  };
  return { one, two, role, mayLogIn };
}

type Run = Awaited<ReturnType<typeof ready>>;

/** The run's switch is given up while its fence stands, after `meanwhile`; what that returned. */
async function givenUp<Seen>({ world, switchOver }: Run, meanwhile: () => Promise<Seen>): Promise<Seen[]> {
  const seen: Seen[] = [];
  const broken = withFault(world.servers, 'orders', 'pg_logical_emit_message', async () => {
    seen.push(await meanwhile());
    throw new Failure('server-error', 'no disk');
  });
  expect((await failureOf(switchOver(broken))).code).toBe('switch-abandoned');
  return seen;
}

test('the way back of one run leaves a superuser locked out whom the fence of another one, which has switched, keeps out', async () => {
  const { one, two, role, mayLogIn } = await twoRuns();
  expect(await givenUp(one, async () => (await two.switchOver()).lockedOut)).toEqual([[role]]);
  expect(await mayLogIn()).toBe(false);
});

test('of two ways back the last one lets it in', async () => {
  const { one, two, mayLogIn } = await twoRuns();
  const afterTheFirst = await givenUp(one, async () => {
    await givenUp(two, mayLogIn);
    return await mayLogIn();
  });
  expect(afterTheFirst).toEqual([false]);
  expect(await mayLogIn()).toBe(true);
  await one.activities.switchBack(one.world.migration, one.world.journal.attempt('switch', { undo: true }));
  expect(await mayLogIn()).toBe(true);
});

test('a switch is given up when a superuser may log in again before "no return"', async () => {
  const { one, role } = await twoRuns();
  const letin = async (): Promise<void> => void (await asAdmin(machines.source, 'postgres', `ALTER ROLE "${role}" LOGIN`));
  const failure = await failureOf(one.switchOver(withFault(one.world.servers, 'orders-next', 'pg_export_snapshot', letin)));
  expect(failure.message).toContain(`the superuser ${role} may log in again`);
});
