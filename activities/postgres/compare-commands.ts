import type { Command } from '../../domain/command.ts';
import type { Migration } from '../replication/contract.ts';
import type { MigrationFacts } from '../replication/facts.ts';
import { dropSnapshot } from '../replication/switch/commands.ts';

/** It only reads; at the end the snapshot of the switch is given back. */
export function compare(_migration: Migration, _facts: MigrationFacts): Command[] {
  return [dropSnapshot];
}
