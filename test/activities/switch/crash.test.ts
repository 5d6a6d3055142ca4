import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createCompareActivity } from '../../../activities/postgres/compare.ts';
import { createSwitchActivities } from '../../../activities/replication/switch/create-switch-activities.ts';
import { eventually } from '../../support/eventually.ts';
import { pooled } from '../../support/pooled.ts';
import type { CrashOrder, CrashReport } from './crash-child.ts';
import { createNoReturn } from './faults.ts';
import { startMachines, type Machines } from './machines.ts';
import { createWorld, type World } from './world.ts';
import { lostWrites, startWriters } from './writers.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

/** A process does the switch until it is about to run that command, and is killed there. */
async function killedAt(world: World, database: string, text: string): Promise<CrashReport> {
  const { inventory, environment, migration, facts } = world;
  const order: CrashOrder = { inventory, environment, run: world.journal.run, migration, facts, database, text };
  const child = spawn(process.execPath, [fileURLToPath(new URL('./crash-child.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin.end(JSON.stringify(order));
  // The first line is the only one that it ever writes.
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit').then(() => [''])])) as [string];
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  return JSON.parse(line) as CrashReport;
}

test.each([
  ['when clients are paused', 'orders', 'CONNECTION LIMIT 0', false],
  ['when the old side is fenced', 'orders', 'pg_logical_emit_message', false],
  ['when the sequences are carried', 'orders-next', 'pg_export_snapshot', false],
  ['after "no return"', 'orders-next', 'CONNECTION LIMIT -1', true],
])('killed %s: clients wait until the next attempt, and lose nothing', async (_when, database, text, afterwards) => {
  const world = await createWorld(machines);
  const noReturn = createNoReturn(() => 2);
  const activities = createSwitchActivities({ ...world.deps, noReturn });
  await activities.closeTarget(world.migration, world.journal.attempt('close-target'));
  const writers = startWriters(world.ways, 4);
  onTestFinished(async () => void (await writers.stop()));
  await eventually(() => Promise.resolve(writers.count() > 50 || undefined));

  const { decided } = await killedAt(world, database, text);
  expect(decided !== null).toBe(afterwards);
  // What the control database would still hold: the first attempt's before-image and its decision.
  await world.journal.attempt('switch').intend({ superusers: [], sourceLimit: -1 });
  if (decided)
    await noReturn.decide(
      world.journal.run,
      { number: 2, attemptKey: 'k', run: world.journal.run, database: 'orders' },
      'forward',
      decided,
    );
  const before = writers.count();
  const switched = await activities.switchOver(world.migration, world.journal.attempt('switch'));
  await eventually(() => Promise.resolve(writers.count() > before + 50 || undefined));
  const report = await writers.stop();
  // Over the fence they are ended and turned away until a side lets them in again.
  if (pooled) expect(report.errors).toEqual([]);
  expect(await lostWrites(world, report)).toEqual([]);
  expect(switched.parts.some((one) => one.part === 'taken up by attempt 2')).toBe(afterwards);
  // Also the snapshot of a killed worker's session holds.
  expect(await createCompareActivity({ ...world.deps, noReturn }).compare(world.migration, world.journal.attempt('compare'))).toMatchObject(
    { method: 'snapshot', tablesDiffering: 0 },
  );
  expect(await world.target(`SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'steadyhand snapshot %'`)).toEqual([]);
});
