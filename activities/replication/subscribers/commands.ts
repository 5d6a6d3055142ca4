import { quoteIdentifier, quoteLiteral, type Command } from '../../../domain/command.ts';
import { endEarlier } from '../commands.ts';
import type { Migration } from '../contract.ts';
import type { MigrationFacts, SubscriberFacts } from '../facts.ts';

const sql = (text: string, when?: string): Command => ({ on: 'target', kind: 'sql', text, ...(when === undefined ? {} : { when }) });

/** The slots that the run makes on the target for the source's other subscribers. */
export const carriedSlots = (migration: Pick<Migration, 'otherSubscribers'>, facts: MigrationFacts): readonly SubscriberFacts[] =>
  migration.otherSubscribers === 'carry' ? facts.binding.source.subscribers : [];

export const makePlace = ({ slot, plugin, twoPhase }: SubscriberFacts): Command =>
  sql(`SELECT pg_create_logical_replication_slot(${quoteLiteral(slot)}, ${quoteLiteral(plugin)}${twoPhase ? ', false, true' : ''})`);

export const dropPlace = (slot: string): Command =>
  sql(`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slot)}`);

export const dropCarriedPublication = (name: string): Command => sql(`DROP PUBLICATION IF EXISTS ${quoteIdentifier(name)}`);

/** To where the target's WAL is flushed: what it holds by then came from the source, so the old side has sent it. */
export const movePlaces = (slots: readonly SubscriberFacts[]): Command =>
  sql(
    'SELECT pg_replication_slot_advance(slot_name, pg_current_wal_flush_lsn()) FROM pg_replication_slots' +
      ` WHERE slot_name IN (${slots.map(({ slot }) => quoteLiteral(slot)).join(', ')})`,
  );

export function carrySubscribers(migration: Migration, facts: MigrationFacts): Command[] {
  const publications = facts.binding.source.publications.map(({ definition }) => sql(definition, 'when it is not there yet'));
  return [endEarlier('target'), ...publications, ...carriedSlots(migration, facts).map(makePlace)];
}

export function dropCarried(migration: Migration, facts: MigrationFacts): Command[] {
  return [
    endEarlier('target'),
    ...carriedSlots(migration, facts).map(({ slot }) => dropPlace(slot)),
    ...facts.binding.source.publications.map(({ name }) => ({ ...dropCarriedPublication(name), when: 'when this run has made it' })),
  ];
}
