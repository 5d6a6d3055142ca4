import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { startChild } from '../child.ts';
import { layoutOf } from '../layout.ts';
import { startRdsOrders, type RdsOrders } from '../rds-orders.ts';
import type { Sandbox } from '../sandbox.ts';
import { until } from '../until.ts';
import { bringUp, type BringUp } from './bring-up.ts';

/** The name in the inventory of the database at AWS. */
export const databaseAtAws = 'orders-aws';

const rowsOfTheOthers = 100;
const standInProgram = fileURLToPath(new URL('../aws/main.ts', import.meta.url));

/**
 * A sandbox with a database at the stand-in for AWS for the time of `show`; when it is kept, the stand-in goes on as
 * a process, and then `kept` is called.
 */
export async function bringUpAtAws(
  options: Pick<BringUp, 'size' | 'keep'>,
  say: (text: string) => void,
  show: (sandbox: Sandbox, orders: RdsOrders) => Promise<void>,
  kept: (sandbox: Sandbox) => void,
): Promise<void> {
  let started: RdsOrders | undefined;
  const beside = async (directory: string) => {
    say('Starting the stand-in for AWS, sixty times faster, with the database orders …\n');
    const orders = await startRdsOrders({ directory, log: (line) => say(`${line}\n`) });
    started = orders;
    return { environment: orders.environment, stop: async () => await orders.aws.stop() };
  };
  const shown = async (sandbox: Sandbox): Promise<void> => {
    if (!started) throw new Error('the stand-in for AWS was not started');
    addToInventory(sandbox, started);
    await show(sandbox, started);
    if (!options.keep) return;
    await handOver(sandbox, started);
    kept(sandbox);
  };
  await bringUp({ pooler: 'none', size: options.size ?? rowsOfTheOthers, keep: options.keep ?? false }, say, shown, beside);
}

/** API and worker read it again when it changes. */
function addToInventory(sandbox: Sandbox, orders: RdsOrders): void {
  // The sandbox wrote it.
  const inventory = parse(readFileSync(sandbox.inventoryFile, 'utf8')) as { databases: Record<string, unknown> };
  inventory.databases[databaseAtAws] = orders.entry;
  writeFileSync(sandbox.inventoryFile, stringify(inventory, { aliasDuplicateObjects: false }));
}

/** From this process to one that lives on: state and address stay. `sandbox down` ends it by its pid file. */
async function handOver({ directory }: Sandbox, { aws }: RdsOrders): Promise<void> {
  const layout = layoutOf(directory);
  await aws.stop();
  await startChild({
    name: 'aws',
    command: process.execPath,
    args: [standInProgram, layout.part('aws')],
    environment: process.env,
    logFile: layout.logFile('aws'),
    pidFile: layout.pidFile('aws'),
  });
  const answers = async (): Promise<true | undefined> => {
    const answer = await fetch(`${aws.endpoint}/_aws/effects`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer ? true : undefined;
  };
  await until('the stand-in for AWS answers again', answers, { withinMs: 60_000 });
}
