import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { parseInventory } from '../domain/inventory.ts';
import { applicationDatabase } from './application/application.ts';
import type { Layout } from './layout.ts';
import type { PgBouncer } from './pgbouncer.ts';
import type { Cluster } from './postgres.ts';

/** Who there is: ada asks, grace agrees for the dbas and linus for the owners; edgar may do nothing. */
export const people = [
  { name: 'ada', groups: ['dba', 'on-call'] },
  { name: 'grace', groups: ['dba'] },
  { name: 'linus', groups: ['team-orders'] },
  { name: 'margaret', groups: ['team-orders', 'on-call'] },
  { name: 'edgar', groups: ['developers'] },
] as const;

/** Writes `steadyhand.yaml`: the database `orders`, the server `orders-18` that it can move to, people and the policy. */
export async function writeInventory(
  layout: Layout,
  parts: { readonly source: Cluster; readonly target: Cluster; readonly pgbouncer: PgBouncer | null },
): Promise<void> {
  const policy = {
    requesters: ['dba', 'team-orders'],
    operators: ['dba', 'on-call'],
    approvals: {
      low: 'auto',
      medium: { quorum: [{ group: 'dba', count: 1 }], deadline: '4h' },
      high: {
        quorum: [
          { group: 'dba', count: 1 },
          { group: 'owners', count: 1 },
        ],
        deadline: '4h',
      },
    },
  };
  const inventory = {
    version: 1,
    people,
    databases: {
      orders: { description: 'The orders of the shop', ...databaseEntry(layout, parts.source), ...pooler(layout, parts.pgbouncer) },
      'orders-18': { description: 'Where the orders can move to', ...databaseEntry(layout, parts.target) },
    },
    policies: { default: policy },
  };
  const text = stringify(inventory, { aliasDuplicateObjects: false });
  // What the worker will read must be right before it is started.
  parseInventory(text, layout.inventory);
  await writeFile(layout.inventory, text, { mode: 0o644 });
}

/** The inventory's entry of a server of the sandbox, without a description. */
export function databaseEntry(layout: Layout, { host, port }: Cluster): object {
  return {
    provider: 'streaming',
    server: {
      host,
      port,
      dbname: applicationDatabase,
      user: 'steadyhand',
      secret: { file: layout.secretFile('steadyhand') },
      sslmode: 'disable',
    },
    // The servers log in to each other by a password file: then no password stands in a subscription.
    replication: { user: 'steadyhand', passfile: layout.passfile },
    owners: 'team-orders',
    policy: 'default',
  };
}

function pooler(layout: Layout, pgbouncer: PgBouncer | null): object {
  if (!pgbouncer) return {};
  const { host, port, adminUser, adminPasswordFile, configFile } = pgbouncer;
  return {
    pooler: {
      ...{ kind: 'pgbouncer', host, port, alias: applicationDatabase, configFile },
      admin: { user: adminUser, secret: { file: adminPasswordFile } },
      users: [{ name: 'orders_app', secret: { file: layout.secretFile('orders_app') } }],
    },
  };
}
