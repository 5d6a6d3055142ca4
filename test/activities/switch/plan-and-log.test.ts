import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import * as pooling from '../../../activities/pooling/commands.ts';
import { createPoolingActivities } from '../../../activities/pooling/create-pooling-activities.ts';
import { compare } from '../../../activities/postgres/compare-commands.ts';
import { createCompareActivity } from '../../../activities/postgres/compare.ts';
import * as switching from '../../../activities/replication/switch/commands.ts';
import { createSwitchActivities } from '../../../activities/replication/switch/create-switch-activities.ts';
import type { Command } from '../../../domain/command.ts';
import { Failure } from '../../../domain/failure.ts';
import { eventually } from '../../support/eventually.ts';
import { createNoReturn, withFault } from './faults.ts';
import { startMachines, type Machines } from './machines.ts';
import { createWorld, type World } from './world.ts';
import { lostWrites, startWriters } from './writers.ts';

let machines: Machines;
beforeAll(async () => {
  machines = await startMachines();
});
afterAll(async () => machines?.end());

/** DISCARD ALL is PgBouncer's own, between two clients of session pooling. */
const ofNoEffect = /^(BEGIN|COMMIT|ROLLBACK|SET|DISCARD ALL)\b/;

/** Each statement of a session that is named after a step, with the step. */
async function changesIn(logFile: string, dbname: string): Promise<{ step: string; text: string }[]> {
  const log = await readFile(logFile, 'utf8');
  const line =
    /^\S+ \S+ \S+ \[\d+\] steadyhand (\S+)[^@]*@(.*?) LOG: {2}(?:statement|execute [^:]*): ([\s\S]*?)(?=^\d{4}-\d\d-\d\d |$(?![\s\S]))/gm;
  return [...log.matchAll(line)]
    .map((match) => ({ step: match[1] ?? '', dbname: match[2], text: (match[3] ?? '').trim() }))
    .filter((one) => one.step !== 'look' && one.dbname === dbname && !ofNoEffect.test(one.text));
}

function matches(command: Command, text: string): boolean {
  const pattern = command.text
    .split(/(?<!:):(?:'\w+'|"\w+"|[a-z]\w*)/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[\\s\\S]+?');
  return new RegExp(`^${pattern}$`).test(text);
}

function planOf({ migration, facts }: World): Record<string, Command[]> {
  return {
    'try-alias': pooling.tryAlias(migration, facts),
    'close-target': [...switching.closeTarget(migration, facts), ...switching.reopenTarget(migration, facts)],
    switch: [...switching.switchOver(migration, facts), ...switching.switchBack(migration, facts)],
    snapshot: switching.switchOver(migration, facts),
    compare: compare(migration, facts),
  };
}

test('what is done is what the plan says; clients are ended and come back on the new side', async () => {
  // With session pooling too, clients are ended.
  const world = await createWorld(machines, { poolMode: 'session' });
  const { migration, journal } = world;
  const noReturn = createNoReturn(() => 1);
  const activities = createSwitchActivities({ ...world.deps, noReturn });
  await createPoolingActivities(world.deps).tryAlias(migration, journal.attempt('try-alias'));
  await activities.closeTarget(migration, journal.attempt('close-target'));
  await activities.reopenTarget(migration, journal.attempt('close-target', { undo: true }));
  await activities.closeTarget(migration, journal.attempt('close-target'));
  const writers = startWriters(world.ways, 3);
  onTestFinished(async () => void (await writers.stop()));
  await eventually(() => Promise.resolve(writers.count() > 50 || undefined));
  const broken = withFault(world.servers, 'orders-next', 'pg_export_snapshot', new Failure('server-error', 'no disk'));
  await createSwitchActivities({ ...world.deps, servers: broken, noReturn })
    .switchOver(migration, journal.attempt('switch'))
    .then(
      () => expect.unreachable(),
      () => undefined,
    );
  await activities.switchOver(migration, journal.attempt('switch'));
  const before = writers.count();
  await eventually(() => Promise.resolve(writers.count() > before + 50 || undefined));
  const report = await writers.stop();
  await createCompareActivity({ ...world.deps, noReturn }).compare(migration, journal.attempt('compare'));

  expect(await lostWrites(world, report)).toEqual([]);

  const plan = planOf(world);
  const changes = [
    ...(await changesIn(machines.source.logFile, world.dbname)).map((one) => ({ ...one, on: 'source' })),
    ...(await changesIn(machines.target.logFile, world.dbname)).map((one) => ({ ...one, on: 'target' })),
  ];
  const unplanned = changes.filter((one) => !plan[one.step]?.some((command) => command.on === one.on && matches(command, one.text)));
  expect(unplanned).toEqual([]);
  const planned = Object.entries(plan).flatMap(([step, commands]) =>
    commands.filter((one) => one.kind === 'sql').map((command) => ({ step, command })),
  );
  const never = planned.filter(({ command }) => !changes.some((one) => matches(command, one.text))).map(({ command }) => command.text);
  // Nobody writes here as a superuser but Steadyhand.
  expect([...new Set(never)]).toEqual([switching.lockOut.text, switching.letIn.text]);
});
