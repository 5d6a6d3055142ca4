import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { layoutOf } from '../../sandbox/layout.ts';
import { writeUntilStopped } from '../../sandbox/load-client.ts';
import { createJournal } from '../../sandbox/load-journal.ts';
import type { LoadReport } from '../../sandbox/load-report.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { clientOf } from '../support/sandbox-client.ts';

/** A database that moves, and an application that writes to it meanwhile. */
export interface Move {
  readonly database: string;
  readonly dbname: string;
  /** Ends the writing, if it goes on; what its client was told. */
  stopWriting(): Promise<LoadReport>;
}

/** So many databases on both servers, in the inventory, written to once a second each. */
export async function makeMoves(sandbox: Sandbox, count: number, log: (line: string) => void): Promise<Move[]> {
  const password = (await readFile(layoutOf(sandbox.directory).secretFile('orders_app'), 'utf8')).trim();
  const names = Array.from({ length: count }, (_, at) => `orders-${String(at + 1).padStart(2, '0')}`);
  for (const side of ['source', 'target'] as const) {
    const client = await clientOf(sandbox, sandbox[side], 'postgres');
    for (const name of names) await client.query(`CREATE DATABASE ${dbnameOf(name)} TEMPLATE orders OWNER orders_owner`);
    await client.end();
  }
  addToInventory(sandbox, names);
  log(`${count} databases are there`);
  return names.map((database, at) => ({
    database,
    dbname: dbnameOf(database),
    stopWriting: writer(sandbox, dbnameOf(database), password, at + 1),
  }));
}

const dbnameOf = (database: string): string => database.replace('-', '_');

function addToInventory({ inventoryFile }: Sandbox, names: readonly string[]): void {
  const inventory = parse(readFileSync(inventoryFile, 'utf8')) as { databases: Record<string, { server: object }> };
  const { orders, 'orders-18': orders18 } = inventory.databases;
  if (!orders || !orders18) throw new Error('the sandbox has another inventory');
  const called = <Entry extends { server: object }>(entry: Entry, dbname: string): Entry => ({
    ...entry,
    server: { ...entry.server, dbname },
  });
  for (const name of names) {
    inventory.databases[name] = called(orders, dbnameOf(name));
    inventory.databases[`${name}-18`] = called(orders18, dbnameOf(name));
  }
  writeFileSync(inventoryFile, stringify(inventory, { aliasDuplicateObjects: false }));
}

function writer({ source, target }: Sandbox, dbname: string, password: string, client: number): () => Promise<LoadReport> {
  const stop = new AbortController();
  const giveUp = new AbortController();
  const journal = createJournal([client]);
  const endpoints = [source, target].map(({ host, port }) => ({ host, port, dbname }));
  const ended = writeUntilStopped({
    ...{ endpoints, user: 'orders_app', password, client, everyMs: 1_000, startAfterMs: 0, journal },
    ...{ stop: stop.signal, giveUp: giveUp.signal },
  });
  let report: Promise<LoadReport> | undefined;
  const end = async (): Promise<LoadReport> => {
    stop.abort();
    const late = setTimeout(() => giveUp.abort(), 30_000);
    await ended;
    clearTimeout(late);
    return journal.report();
  };
  return async () => await (report ??= end());
}
