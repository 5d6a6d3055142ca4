import { qualified, quoteIdentifier, type Command } from '../../domain/command.ts';
import type { Migration } from './contract.ts';
import type { ConfigurationTable, MigrationFacts } from './facts.ts';

const sql = (on: 'source' | 'target', text: string): Command => ({ on, kind: 'sql', text });

/** The extensions' configuration tables whose rows go along, tables that others refer to first. */
export function carriedConfiguration({ leave }: Pick<Migration, 'leave'>, { binding }: MigrationFacts): readonly ConfigurationTable[] {
  return binding.source.configuration.filter((one) => !leave.includes(`${one.schema}.${one.name}`));
}

const columns = (table: ConfigurationTable): string => table.columns.map(quoteIdentifier).join(', ');

/** The users' rows, as pg_dump takes them: those that the extension's own condition names. */
export const readConfiguration = (table: ConfigurationTable): Command =>
  sql('source', `COPY (SELECT ${columns(table)} FROM ONLY ${qualified(table)} ${table.condition}) TO STDOUT`);
export const writeConfiguration = (table: ConfigurationTable): Command =>
  sql('target', `COPY ${qualified(table)} (${columns(table)}) FROM STDIN`);
export const emptyConfiguration = (table: ConfigurationTable): Command =>
  sql('target', `DELETE FROM ONLY ${qualified(table)} ${table.condition}`);

/** Deletes nothing: an extension that watches its table by a trigger of the statement looks at it again. */
export const announceEmptied = (table: ConfigurationTable): Command => sql('target', `DELETE FROM ONLY ${qualified(table)} WHERE false`);

/** Tables that refer to others are emptied before these, and filled after them. */
export function carryConfiguration(migration: Pick<Migration, 'leave'>, facts: MigrationFacts): Command[] {
  const tables = carriedConfiguration(migration, facts);
  return [...clearConfiguration(migration, facts), ...tables.flatMap((one) => [readConfiguration(one), writeConfiguration(one)])];
}

/** After a switch that was given up: their jobs must not run on both sides. */
export const clearConfiguration = (migration: Pick<Migration, 'leave'>, facts: MigrationFacts): Command[] =>
  carriedConfiguration(migration, facts)
    .toReversed()
    .flatMap((one) => [emptyConfiguration(one), announceEmptied(one)]);
