import { qualified, type Command } from '../../domain/command.ts';
import type { Migration } from './contract.ts';
import { replicatedTables, type MigrationFacts } from './facts.ts';

type Side = 'source' | 'target';

/** The pure half of every verb: what its effect half executes, no more. `:tag` names everything that the run makes. */
const sql = (on: Side, text: string, when?: string): Command => ({ on, kind: 'sql', text, ...(when === undefined ? {} : { when }) });

/** By the name that the step's sessions have, and never those of another login. A row for each that was still there. */
export const endEarlier = (on: Side): Command =>
  sql(
    on,
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()' +
      " AND application_name = current_setting('application_name') AND usename = current_user AND pid <> pg_backend_pid()",
    'after an attempt whose worker died or stood still: it must not go on',
  );

const endEarlierOnBoth: readonly Command[] = [endEarlier('source'), endEarlier('target')];

export const schemaComment = 'Made by Steadyhand for its runs; it is removed when the last one ends.';

/** For the function of the freeze. */
export const makeSchema: readonly Command[] = [
  sql('source', 'CREATE SCHEMA IF NOT EXISTS steadyhand', 'when it is not there yet'),
  sql('source', `COMMENT ON SCHEMA steadyhand IS '${schemaComment}'`, 'when it was not there yet'),
];
/** Without CASCADE: it stays while anything is in it. */
export const dropSchema = sql('source', 'DROP SCHEMA IF EXISTS steadyhand');

const makeFreezeFunction = sql(
  'source',
  `CREATE OR REPLACE FUNCTION steadyhand.:"tag"() RETURNS event_trigger LANGUAGE plpgsql
  SET search_path = pg_catalog SET steadyhand.run = :'run' AS $freeze$
DECLARE
  changed text;
BEGIN
  IF current_setting('steadyhand.ddl', true) = 'allow' OR current_setting('application_name') LIKE 'steadyhand %'
     OR tg_tag IN ('GRANT', 'REVOKE', 'COMMENT', 'REFRESH MATERIALIZED VIEW', 'REINDEX', 'ALTER SUBSCRIPTION', 'DROP SUBSCRIPTION') THEN
    RETURN;
  END IF;
  IF tg_event = 'sql_drop' THEN
    SELECT min(object_type || ' ' || object_identity) INTO changed FROM pg_event_trigger_dropped_objects()
     WHERE original AND NOT is_temporary AND schema_name IS DISTINCT FROM 'pg_temp';
  ELSE
    SELECT min(object_type || ' ' || coalesce(object_identity, '')) INTO changed FROM pg_event_trigger_ddl_commands()
     WHERE schema_name IS DISTINCT FROM 'pg_temp' AND coalesce(object_identity, '') NOT LIKE 'pg_temp.%';
  END IF;
  IF changed IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('the Steadyhand run %s has frozen the schema of this database: %s (%s) was not done', current_setting('steadyhand.run'), tg_tag, changed),
      HINT = 'Do it after the run has ended, or ask the people of the run to roll it back.';
  END IF;
END
$freeze$`,
);

/** DDL is refused at its end, when it is known what it touched; a DROP shows only in sql_drop. */
export function freezeDdl(_migration: Migration, facts: MigrationFacts): Command[] {
  return [endEarlier('source'), ...makeSchema, ...makeFreeze(facts)];
}

export const makeFreeze = (facts: MigrationFacts): Command[] => {
  const word = facts.binding.source.version >= 110_000 ? 'FUNCTION' : 'PROCEDURE';
  return [
    makeFreezeFunction,
    sql('source', `CREATE EVENT TRIGGER :"tag" ON ddl_command_end EXECUTE ${word} steadyhand.:"tag"()`),
    sql('source', `CREATE EVENT TRIGGER :"tag_drop" ON sql_drop EXECUTE ${word} steadyhand.:"tag"()`),
  ];
};

export const dropFreeze: readonly Command[] = [
  sql('source', 'DROP EVENT TRIGGER IF EXISTS :"tag_drop"'),
  sql('source', 'DROP EVENT TRIGGER IF EXISTS :"tag"'),
  sql('source', 'DROP FUNCTION IF EXISTS steadyhand.:"tag"()'),
];

export function thawDdl(_migration: Migration, _facts: MigrationFacts): Command[] {
  return [endEarlier('source'), ...dropFreeze, dropSchema];
}

const only = (table: { schema: string; name: string }): string => `ONLY ${qualified(table)}`;

/** A database without tables has neither list nor keyword. */
const listOf = (keyword: string, names: readonly string[]): string => (names.length === 0 ? '' : `${keyword}${names.join(', ')}`);

/** Exactly these tables, so none that is made later slips in half replicated. Partitions one by one, not by their root. */
export const makePublication = (facts: MigrationFacts): Command =>
  sql('source', `CREATE PUBLICATION :"tag"${listOf(' FOR TABLE ', replicatedTables(facts).map(only))}`);
export const dropPublication = sql('source', 'DROP PUBLICATION IF EXISTS :"tag"');

export function publish(_migration: Migration, facts: MigrationFacts): Command[] {
  return [endEarlier('source'), makePublication(facts)];
}

export function unpublish(_migration: Migration, _facts: MigrationFacts): Command[] {
  return [endEarlier('source'), dropPublication];
}

/** Before the subscription and apart from it, so that a crash between the two leaves a slot with the run's name to adopt. */
export const makeSlot = sql('source', "SELECT pg_create_logical_replication_slot(:'tag', 'pgoutput')");

export const makeSubscription = (facts: MigrationFacts): Command => {
  const { version } = facts.binding.target;
  const streaming = version >= 160_000 ? 'parallel' : 'on';
  const options = [
    "slot_name = :'tag'",
    'create_slot = false',
    'copy_data = true',
    ...(version >= 140_000 ? [`streaming = ${streaming}`] : []),
    ...(version >= 150_000 ? ['disable_on_error = true'] : []),
  ];
  return sql('target', `CREATE SUBSCRIPTION :"tag" CONNECTION :'conninfo' PUBLICATION :"tag" WITH (${options.join(', ')})`);
};

export function subscribe(_migration: Migration, facts: MigrationFacts): Command[] {
  return [...endEarlierOnBoth, makeSlot, makeSubscription(facts)];
}

export const disableSubscription = sql('target', 'ALTER SUBSCRIPTION :"tag" DISABLE');
/** From here on the subscription can be dropped with the source dead. */
export const detachSlot = sql('target', 'ALTER SUBSCRIPTION :"tag" SET (slot_name = NONE)');
export const dropSubscription = sql('target', 'DROP SUBSCRIPTION IF EXISTS :"tag"');
/** The slot's own and those of the initial copy, `pg_…_sync_…`, one by one. */
export const endWalsender = sql(
  'source',
  "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = :'slot' AND active_pid IS NOT NULL",
  'when the slot is still in use',
);
export const dropSlot = sql('source', "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = :'slot'");

/** In one statement, since foreign keys tie them together. */
export const emptyTables = (tables: readonly { schema: string; name: string }[]): Command =>
  sql('target', `TRUNCATE ${tables.map(only).join(', ')}`);

export function unsubscribe(_migration: Migration, facts: MigrationFacts): Command[] {
  return [
    ...endEarlierOnBoth,
    disableSubscription,
    detachSlot,
    dropSubscription,
    endWalsender,
    dropSlot,
    ...(replicatedTables(facts).length > 0 ? [emptyTables(replicatedTables(facts))] : []),
  ];
}

/**
 * A message in the WAL and no row: no publication contains it, so no other subscriber of the source receives anything of
 * Steadyhand. Its commit is flushed, so walsenders pass it on at once. Returns where it ends.
 */
export const marker = (on: Side): Command => sql(on, "SELECT pg_logical_emit_message(true, 'steadyhand', :'token')::text AS lsn");

export function catchUp(_migration: Migration, _facts: MigrationFacts): Command[] {
  return [marker('source')];
}

/** Up to the marker of the switch everything has been applied; what the slot still holds after it came late. */
export const advanceSlot = sql('source', "SELECT pg_replication_slot_advance(:'tag', :'lsn')", 'when the slot is not there yet');
/** Messages D, I, T and U are changes of rows; begin and commit come for empty transactions too. */
export const countLateWrites = sql(
  'source',
  "SELECT count(*)::int AS late FROM pg_logical_slot_peek_binary_changes(:'tag', NULL, NULL, 'proto_version', '1'," +
    " 'publication_names', :'tag') WHERE get_byte(data, 0) IN (68, 73, 84, 85)",
);

export function retire(_migration: Migration, facts: MigrationFacts): Command[] {
  return [
    disableSubscription,
    endWalsender,
    advanceSlot,
    countLateWrites,
    detachSlot,
    dropSubscription,
    dropSlot,
    dropPublication,
    ...(facts.binding.source.superuser ? [...dropFreeze, dropSchema] : []),
  ];
}
