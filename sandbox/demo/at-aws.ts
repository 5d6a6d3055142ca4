import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { startAws } from '../aws/aws.ts';
import { sandboxConfiguration } from '../configuration.ts';
import { startRdsOrders, type RdsOrders } from '../rds-orders.ts';
import type { Sandbox } from '../sandbox.ts';
import { bringUp, type BringUp } from './bring-up.ts';

/** The name in the inventory of the database at AWS. */
export const databaseAtAws = 'orders-aws';

const rowsOfTheOthers = 100;

/** A sandbox with a database at the stand-in for AWS for the time of `show`. What a killed demo left there is ended and removed first. */
export async function bringUpAtAws(
  options: Pick<BringUp, 'size'>,
  say: (text: string) => void,
  show: (sandbox: Sandbox, orders: RdsOrders) => Promise<void>,
): Promise<void> {
  // Beside the sandbox, which removes its own folder.
  const directory = `${sandboxConfiguration().state}-aws`;
  if (existsSync(directory)) await (await startAws({ directory })).stop();
  await rm(directory, { recursive: true, force: true });
  say('Starting the stand-in for AWS, sixty times faster, with the database orders …\n');
  const orders = await startRdsOrders({ directory });
  try {
    const shown = async (sandbox: Sandbox): Promise<void> => {
      addToInventory(sandbox, orders);
      await show(sandbox, orders);
    };
    await bringUp({ pooler: 'none', size: options.size ?? rowsOfTheOthers }, say, shown, orders.environment);
  } finally {
    await orders.aws.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** API and worker read it again when it changes. */
function addToInventory(sandbox: Sandbox, orders: RdsOrders): void {
  // The sandbox wrote it.
  const inventory = parse(readFileSync(sandbox.inventoryFile, 'utf8')) as { databases: Record<string, unknown> };
  inventory.databases[databaseAtAws] = orders.entry;
  writeFileSync(sandbox.inventoryFile, stringify(inventory, { aliasDuplicateObjects: false }));
}
