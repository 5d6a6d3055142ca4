import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createServers } from '../../../activities/postgres/session.ts';
import type { Migration } from '../../../activities/replication/contract.ts';
import type { MigrationFacts } from '../../../activities/replication/facts.ts';
import { createSwitchActivities } from '../../../activities/replication/switch/create-switch-activities.ts';
import type { Inventory } from '../../../domain/inventory.ts';
import { createJournal } from '../../support/attempt.ts';
import { createNoReturn, withFault } from './faults.ts';

/** A worker that is killed: it does the switch up to a command, says so, and stands there. */
export interface CrashOrder {
  readonly inventory: Inventory;
  readonly environment: Record<string, string>;
  readonly run: string;
  readonly migration: Migration;
  readonly facts: MigrationFacts;
  readonly database: string;
  readonly text: string;
}

export interface CrashReport {
  readonly decided: Readonly<Record<string, unknown>> | null;
}

// The test wrote it just before: this shape and no other.
const order = JSON.parse(readFileSync(0, 'utf8')) as CrashOrder;
const noReturn = createNoReturn(() => 1);
const servers = withFault(
  createServers(() => order.inventory, order.environment),
  order.database,
  order.text,
  async () => {
    const report: CrashReport = { decided: (await noReturn.read(order.run))?.facts ?? null };
    process.stdout.write(`${JSON.stringify(report)}\n`);
    await wait(60_000);
  },
);
const activities = createSwitchActivities({
  servers,
  noReturn,
  facts: () => Promise.resolve(order.facts),
  journalOf: () => Promise.resolve([]),
});
await activities.switchOver(order.migration, createJournal(order.run).attempt('switch'));
