import { qualified, quoteIdentifier, type Command } from '../../domain/command.ts';
import { endEarlier } from './commands.ts';
import type { Migration } from './contract.ts';
import { applyTriggerKey, type ApplyTrigger, type MigrationFacts } from './facts.ts';

const sql = (text: string): Command => ({ on: 'target', kind: 'sql', text });

/** What the target would have when replication writes there: what the copy of the schema brings, and what it has already. */
export function firingOnTarget({ schema }: Pick<Migration, 'schema'>, { binding: { source, target } }: MigrationFacts): ApplyTrigger[] {
  const copied = schema === 'copy' ? source.applyTriggers.filter((one) => !one.ofConstraint) : [];
  const keys = new Set(copied.map(applyTriggerKey));
  return [...copied, ...target.applyTriggers.filter((one) => !keys.has(applyTriggerKey(one)))];
}

/** Those that the run disables until the cutover, event triggers first: so none fires for what is done to the others. */
export function heldTriggers(migration: Pick<Migration, 'schema' | 'triggers'>, facts: MigrationFacts): ApplyTrigger[] {
  if (migration.triggers !== 'hold') return [];
  const all = firingOnTarget(migration, facts);
  return [...all.filter((one) => one.table === null), ...all.filter((one) => one.table !== null)];
}

const alter = ({ table, name }: ApplyTrigger, how: string): Command =>
  table
    ? sql(`ALTER TABLE ${qualified(table)} ${how} TRIGGER ${quoteIdentifier(name)}`)
    : sql(`ALTER EVENT TRIGGER ${quoteIdentifier(name)} ${how}`);

export const disableTriggers = (held: readonly ApplyTrigger[]): Command[] => held.map((one) => alter(one, 'DISABLE'));

/** In their old mode, event triggers last. */
export const enableTriggers = (held: readonly ApplyTrigger[]): Command[] =>
  held.toReversed().map((one) => alter(one, one.mode === 'A' ? 'ENABLE ALWAYS' : 'ENABLE REPLICA'));

export function holdTriggers(migration: Migration, facts: MigrationFacts): Command[] {
  return [endEarlier('target'), ...disableTriggers(heldTriggers(migration, facts))];
}

export function releaseTriggers(migration: Migration, facts: MigrationFacts): Command[] {
  return [endEarlier('target'), ...enableTriggers(heldTriggers(migration, facts))];
}
