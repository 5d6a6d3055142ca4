import { quoteIdentifier, type Command } from '../../domain/command.ts';
import type { Migration } from '../replication/contract.ts';
import type { MigrationFacts } from '../replication/facts.ts';
import { addressText, quoteAlias } from './alias-text.ts';

/** The alias by which the pooler's users are tried on the new side. */
export function nextAlias(alias: string): string {
  return `${alias}_steadyhand_next`;
}

export const reload: Command = { on: 'pooler', kind: 'pgbouncer', text: 'RELOAD' };

/** What the clients see of a pause, for people who read the plan. */
export const whileHeld = 'PgBouncer holds the clients; they see a short wait and no error.';

export function pause(alias: string): Command {
  return { on: 'pooler', kind: 'pgbouncer', text: `PAUSE ${quoteIdentifier(alias)}` };
}

export function resume(alias: string): Command {
  return { on: 'pooler', kind: 'pgbouncer', text: `RESUME ${quoteIdentifier(alias)}` };
}

/** The alias's line gets this address; its other keys stay. `:configfile` is the file of the inventory. */
export function repoint(alias: string, address: { host: string; port: number; dbname: string }): Command {
  return { on: 'pooler', kind: 'file', text: `in :configfile, [databases]: ${quoteAlias(alias)} = ${addressText(address)}` };
}

/** Taken and given back by each of the pooler's users; `:tables` are those that the user may write on the old side. */
export const lockTables: Command = { on: 'target', kind: 'sql', text: 'LOCK TABLE :tables IN ROW EXCLUSIVE MODE' };

export const takeTransactionId: Command = { on: 'target', kind: 'sql', text: 'SELECT pg_current_xact_id()' };

/** Without a pooler: nothing. The two SQL commands are executed as each of the pooler's users, between BEGIN and ROLLBACK. */
export function tryAlias(migration: Migration, facts: MigrationFacts): Command[] {
  const { pooler, target } = facts.binding;
  if (!pooler) return [];
  return [repoint(nextAlias(pooler.alias), target), reload, lockTables, takeTransactionId, ...removeAlias(migration, facts)];
}

export function removeAlias(_migration: Migration, facts: MigrationFacts): Command[] {
  const { pooler } = facts.binding;
  if (!pooler) return [];
  return [{ on: 'pooler', kind: 'file', text: `in :configfile, [databases]: ${quoteAlias(nextAlias(pooler.alias))} is removed` }, reload];
}
