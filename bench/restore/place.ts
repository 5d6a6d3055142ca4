import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DeleteDBSnapshotCommand, DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { Client, Connection } from '@temporalio/client';
import { ulid } from 'ulid';
import { parse, stringify } from 'yaml';
import { createControl } from '../../control/control.ts';
import { ownName } from '../../activities/providers/rds/own.ts';
import { tagOf } from '../../domain/run.ts';
import { sandboxConfiguration } from '../../sandbox/configuration.ts';
import { databaseAtAws as database } from '../../sandbox/demo/at-aws.ts';
import { startRdsOrders, type RdsOrders } from '../../sandbox/rds-orders.ts';
import { up, type Sandbox } from '../../sandbox/sandbox.ts';
import { readConfig } from '../../worker/config.ts';
import type { BenchOptions } from '../frame/bench.ts';
import { openScratch } from '../frame/scratch.ts';
import { byRun } from './by-run.ts';
import { ready, type FromScript, type Order, type ToScript } from './messages.ts';
import { timingOf, type Scale, type Stretch, type Timing } from './timing.ts';

/** The stand-in for AWS, the product's worker on the sandbox's Temporal, and the bare script. */
export interface Place {
  /** The path of the `temporal` command. */
  readonly temporal: string;
  /** One order, by a run of Steadyhand whose approvals are given as soon as they are asked for, or by the script. */
  measure(by: 'run' | 'script', runbook: Order['runbook']): Promise<Timing>;
  stop(): Promise<void>;
}

export async function openPlace({ log, signal }: Pick<BenchOptions, 'log' | 'signal'>, scale: Scale): Promise<Place> {
  const { directory, endings, stop } = await openScratch(signal);
  try {
    const orders = await startRdsOrders({ directory: join(directory, 'aws'), factor: scale.factor });
    endings.push(() => orders.aws.stop());
    const sandbox = await up({ pooler: 'none', size: 100, services: false, directory: join(directory, 'sandbox'), log });
    endings.push(() => sandbox.down());
    addToInventory(sandbox, orders);
    const environment = { ...sandboxConfiguration().environment, ...sandbox.environment, ...orders.environment };
    const lookAgain = String(scale.paceMs / scale.factor);
    const [worker, script] = [start('worker-main', lookAgain, environment), start('script-main', lookAgain, environment)];
    endings.push(
      () => ended(worker),
      () => ended(script),
    );
    await Promise.all([saysReady(worker), saysReady(script)]);
    const config = readConfig(environment);
    const control = createControl({ ...config.control, applicationName: 'steadyhand bench' });
    const client = new Client({ connection: await Connection.connect({ address: sandbox.temporal.address }) });
    endings.push(
      () => control.close(),
      () => client.connection.close(),
    );
    const by = {
      run: async (order: Order): Promise<Stretch> => await byRun({ control, client, taskQueue: config.taskQueue }, order),
      script: async (order: Order): Promise<Stretch> => await byScript(script, order),
    };
    return {
      temporal: sandbox.temporal.program,
      stop,
      measure: async (way, runbook) => {
        const run = `${runbook}/${database}/${ulid()}`;
        const stretch = await by[way]({ runbook, run, input: await inputOf(orders, runbook) });
        if (runbook === 'dr-snapshot-copy') await removeCopy(orders, run);
        return timingOf(orders.aws.calls(), stretch, scale);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function addToInventory({ inventoryFile }: Sandbox, { entry }: RdsOrders): void {
  // The sandbox wrote it.
  const inventory = parse(readFileSync(inventoryFile, 'utf8')) as { databases: Record<string, unknown> };
  inventory.databases[database] = entry;
  writeFileSync(inventoryFile, stringify(inventory, { aliasDuplicateObjects: false }));
}

function start(name: 'worker-main' | 'script-main', lookAgain: string, env: Readonly<Record<string, string | undefined>>): ChildProcess {
  return fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), [lookAgain], { env: { ...env } });
}

async function saysReady(child: ChildProcess): Promise<void> {
  const said = await answer(child);
  if (said !== ready) throw new Error(`it said ${JSON.stringify(said)} first`);
}

async function answer(child: ChildProcess): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const gone = (code: number | null): void => reject(new Error(`it ended with ${code}`));
    child.once('exit', gone).once('message', (message) => {
      child.off('exit', gone);
      resolve(message);
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (child.connected) child.disconnect();
  await gone;
}

/** What can be restored at once, so that nobody waits for the moment. */
async function inputOf({ client }: RdsOrders, runbook: Order['runbook']): Promise<Order['input']> {
  if (runbook === 'dr-snapshot-copy') return { snapshot: 'newest', verification: 'available', prune: false };
  const { DBInstances: [seen] = [] } = await client().send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'orders' }));
  // oxlint-disable-next-line unicorn/no-thenable -- a word, see the runbook's plan
  return { moment: seen?.LatestRestorableTime?.toISOString(), then: 'throw-away', tables: [] };
}

async function removeCopy({ client, entry }: RdsOrders, run: string): Promise<void> {
  await client(entry.rds.dr.region).send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: ownName(tagOf(run)) }));
}

async function byScript(script: ChildProcess, order: Order): Promise<Stretch> {
  const done = answer(script);
  script.send({ kind: 'order', order } satisfies ToScript);
  // Only script-main.ts answers.
  const message = (await done) as FromScript;
  if (message.kind === 'failed') throw new Error(`the script failed: ${message.because}`);
  return message.stretch;
}
