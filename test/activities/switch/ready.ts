import pg from 'pg';
import { onTestFinished } from 'vitest';
import { createSwitchActivities } from '../../../activities/replication/switch/create-switch-activities.ts';
import type { Servers } from '../../../activities/postgres/session.ts';
import { Failure } from '../../../domain/failure.ts';
import { eventually } from '../../support/eventually.ts';
import { createNoReturn } from './faults.ts';
import type { Machines } from './machines.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';
import { startWriters, type Writers } from './writers.ts';

/** A pair in replication with the target closed, and everything that the switch needs. */
export async function ready(machines: Machines, options: WorldOptions = {}) {
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

export function writersOf(endpoints: readonly pg.ClientConfig[]): Writers {
  const writers = startWriters(endpoints, 4);
  onTestFinished(async () => void (await writers.stop()));
  return writers;
}

export async function moreWrites(writers: Writers): Promise<void> {
  const count = writers.count();
  await eventually(() => Promise.resolve(writers.count() > count + 50 || undefined));
}

export async function failureOf(act: Promise<unknown>): Promise<Failure> {
  const error = await act.then(
    () => 'it did not fail',
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error('a Failure was expected', { cause: error });
}

export async function limitOf(world: World, side: 'source' | 'target'): Promise<unknown> {
  const [row] = await world[side]('SELECT datconnlimit AS l FROM pg_database WHERE datname = current_database()');
  return row?.l;
}

export async function write(world: World): Promise<void> {
  const client = await enter(world);
  try {
    await client.query(`INSERT INTO orders (note) VALUES ('by hand')`);
  } finally {
    await client.end();
  }
}

/** By the first way that lets the application in. */
async function enter({ ways }: World): Promise<pg.Client> {
  const refusals: unknown[] = [];
  for (const way of ways) {
    const client = new pg.Client(way);
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      refusals.push(error);
    }
  }
  throw new AggregateError(refusals, 'the application is let in nowhere');
}

export async function snapshotsKept(world: World): Promise<number> {
  return (await world.target(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'steadyhand snapshot ${world.journal.tag}'`)).length;
}
