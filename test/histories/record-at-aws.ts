// The histories of the runbooks around an instance, which take a sandbox with the stand-in for AWS: `npm run histories`.
import { mkdir, writeFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { expect, test } from 'vitest';
import type { AnyRunbook } from '../../domain/runbook.ts';
import { catalog } from '../../workflows/catalog.ts';
import { bothAgree, makeOld } from '../e2e/old-instance.ts';
import { rdsPlace, type RdsPlace } from '../e2e/rds-place.ts';
import { folderOf } from './folder.ts';
import { scenesOf, type scenes } from './scenes.ts';
import { withoutPlaces } from './without-places.ts';

interface Recorded {
  readonly runbook: string;
  input(here: RdsPlace): Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>;
  /** How often the sandbox's policy asks people at its risk; `both`: once, a DBA and an owner. */
  readonly asks: 0 | 1 | 2 | 'both';
  /** A call that, denied, parks a step. */
  readonly call: string;
}

const recorded: readonly Recorded[] = [
  { runbook: 'backup-now', input: () => ({}), asks: 0, call: 'CreateDBSnapshot' },
  { runbook: 'dr-snapshot-copy', input: () => ({ verification: 'available', prune: false }), asks: 1, call: 'CopyDBSnapshot' },
  { runbook: 'pitr-restore', input: restoring, asks: 2, call: 'RestoreDBInstanceToPointInTime' },
  { runbook: 'remove-old', input: async ({ orders }) => ({ instance: await makeOld(orders) }), asks: 'both', call: 'DeleteDBInstance' },
];

function restoring(): Readonly<Record<string, unknown>> {
  const moment = `${new Date().toISOString().slice(0, 19)}Z`;
  // oxlint-disable-next-line unicorn/no-thenable -- a word, see the runbook's plan
  return { moment, then: 'copy-back', tables: [{ name: 'orders' }] };
}

type Scene = (here: RdsPlace, one: Recorded) => Promise<string>;

/** Those of `scenes`, with a call that is denied instead of a fault of the harness's. */
const ways: Readonly<Record<keyof typeof scenes, Scene>> = {
  succeeded: async (here, one) => {
    const run = await begun(here, one);
    await toTheEnd(here, run, one);
    return run;
  },
  'rolled-back': async (here, one) => {
    const run = await parked(here, one);
    await here.decide(run, 'grace', 'roll-back');
    await closed(here, run, 'rolled-back');
    return run;
  },
  'started-again': async (here, one) => {
    const run = await parked(here, one);
    await here.decide(run, 'grace', 'start-again');
    await toTheEnd(here, run, one);
    return run;
  },
  cancelled: async (here, one) => {
    if (!undoes(one)) return await cancelledWhenAsked(here, one);
    const run = await begun(here, one);
    await here.until(run, () => here.effects(one.call, run) === 1);
    await here.cancel(run);
    await closed(here, run, 'rolled-back');
    return run;
  },
  parked,
};

/** After the call it would change nothing. */
async function cancelledWhenAsked(here: RdsPlace, { runbook, input }: Recorded): Promise<string> {
  const run = await here.request(runbook, await input(here));
  await here.until(run, (now) => now.questions.length > 0);
  await here.cancel(run);
  await closed(here, run, 'refused');
  return run;
}

const runbookOf = ({ runbook }: Recorded): AnyRunbook => {
  const found = catalog[runbook];
  if (!found) throw new Error(`no runbook ${runbook}`);
  return found;
};

const undoes = (one: Recorded): boolean => scenesOf(runbookOf(one)).includes('rolled-back');

async function begun(here: RdsPlace, { runbook, input, asks }: Recorded): Promise<string> {
  const run = await here.request(runbook, await input(here));
  if (asks === 'both') await bothAgree(here, run);
  else if (asks > 0) await here.agree(run);
  return run;
}

async function toTheEnd(here: RdsPlace, run: string, { asks }: Recorded): Promise<void> {
  if (asks === 2) await here.agree(run);
  await closed(here, run, 'succeeded');
}

async function parked(here: RdsPlace, one: Recorded): Promise<string> {
  here.orders.aws.fault({ action: one.call, kind: 'denied', times: 1 });
  const run = await begun(here, one);
  await here.until(run, (now) => now.state === 'parked');
  return run;
}

async function closed({ until }: RdsPlace, run: string, outcome: string): Promise<void> {
  expect(await until(run, (now) => now.state === 'closed')).toMatchObject({ outcome });
}

const place = rdsPlace();

for (const one of recorded) {
  for (const [scene, way] of Object.entries(ways).filter(([called]) => scenesOf(runbookOf(one)).includes(called))) {
    test(`${one.runbook}: ${scene}`, async () => {
      const here = place();
      const run = await way(here, one);
      await keep(here, run, one.runbook, scene);
      // Gives its lease back for the runbook that comes next.
      if (scene === 'parked') await here.decide(run, 'grace', undoes(one) ? 'roll-back' : 'retry');
      if (scene === 'parked') await here.until(run, (now) => now.state === 'closed');
    });
  }
}

async function keep(here: RdsPlace, run: string, runbook: string, scene: string): Promise<void> {
  const folder = folderOf(runbook);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(`${scene}.json`, folder), `${withoutPlaces(historyToJSON(await here.history(run)))}\n`);
}

// The last ones: another instance is called orders then.
test('pitr-restore: switch-taken-back', async () => {
  const here = place();
  here.orders.aws.fault({ action: 'RebootDBInstance', kind: 'denied', times: 1 });
  const run = await switching(here);
  await here.until(run, (now) => now.state === 'parked');
  await keep(here, run, 'pitr-restore', 'switch-taken-back');
  await here.decide(run, 'grace', 'roll-back');
  await closed(here, run, 'rolled-back');
});

test('pitr-restore: switched-over', async () => {
  const here = place();
  const run = await switching(here);
  await closed(here, run, 'succeeded');
  await keep(here, run, 'pitr-restore', 'switched-over');
});

async function switching(here: RdsPlace): Promise<string> {
  // oxlint-disable-next-line unicorn/no-thenable -- a word, see the runbook's plan
  const run = await here.request('pitr-restore', { moment: `${new Date().toISOString().slice(0, 19)}Z`, then: 'switch-over' });
  await here.agree(run);
  await here.until(run, (now) => now.questions.some((one) => one.approval === 'approve-next'));
  await here.agree(run);
  return run;
}
