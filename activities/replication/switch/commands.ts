import { qualified, quoteIdentifier, quoteLiteral, type Command } from '../../../domain/command.ts';
import { pause, reload, repoint, resume } from '../../pooling/commands.ts';
import { endEarlier, marker } from '../commands.ts';
import type { Migration } from '../contract.ts';
import { carryConfiguration, clearConfiguration } from '../configuration-commands.ts';
import { enableTriggers, heldTriggers } from '../trigger-commands.ts';
import { carriedSlots, movePlaces } from '../subscribers/commands.ts';
import type { FenceFacts, FenceSide, MigrationFacts } from '../facts.ts';

type Side = 'source' | 'target';

function sql(on: Side, text: string, when?: string): Command {
  return { on, kind: 'sql', text, ...(when === undefined ? {} : { when }) };
}

function limit(on: Side, facts: FenceSide, connections: number): Command {
  return sql(on, `ALTER DATABASE ${quoteIdentifier(facts.dbname)} CONNECTION LIMIT ${connections}`);
}

/** As GRANT wants it: null is PUBLIC. */
export const roleText = (role: string | null): string => (role === null ? 'PUBLIC' : quoteIdentifier(role));

/**
 * Nobody but superusers can connect to the database any more; who is in stays in. A limit of 0 would keep a login that is no
 * superuser out, too: with such a one CONNECT is taken from everybody but Steadyhand's own.
 */
export function shut(on: Side, facts: FenceFacts): Command[] {
  const { dbname, connects, logins } = facts.binding[on];
  if (connects === null) return [limit(on, facts.binding[on], 0)];
  const database = `ON DATABASE ${quoteIdentifier(dbname)}`;
  const others = connects.filter(({ role }) => role === null || !logins.includes(role));
  return [
    sql(on, `GRANT CONNECT ${database} TO ${logins.map(roleText).join(', ')}`),
    ...(others.length > 0 ? [sql(on, `REVOKE CONNECT ${database} FROM ${others.map(({ role }) => roleText(role)).join(', ')}`)] : []),
  ];
}

/** As the facts found it: the connection limit; or the rights to connect, one by one, since a role may be gone by now. */
export function unshut(on: Side, facts: FenceFacts): Command[] {
  const { dbname, connects, logins } = facts.binding[on];
  if (connects === null) return [limit(on, facts.binding[on], facts.binding[on].connectionLimit)];
  const database = `ON DATABASE ${quoteIdentifier(dbname)}`;
  const grants = connects.map(({ role, grantable }) =>
    sql(on, `GRANT CONNECT ${database} TO ${roleText(role)}${grantable ? ' WITH GRANT OPTION' : ''}`),
  );
  const lent = logins.filter((login) => !connects.some(({ role }) => role === login));
  return [...grants, ...(lent.length > 0 ? [sql(on, `REVOKE CONNECT ${database} FROM ${lent.map(roleText).join(', ')}`)] : [])];
}

/** On the target, before the switch: everybody leaves who is no superuser and not Steadyhand itself. */
export const endClients: Command = sql(
  'target',
  'SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid' +
    " WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND NOT r.rolsuper AND a.usename <> current_user",
);

/** Superusers pass a connection limit, so those who write here may not log in; Steadyhand's own and replication's login may. */
export const lockOut: Command = sql(
  'source',
  'ALTER ROLE :"superuser" NOLOGIN',
  'for each superuser that could write, but Steadyhand’s and replication’s own',
);
export const letIn: Command = sql(
  'source',
  'ALTER ROLE :"superuser" LOGIN',
  'for each superuser that was locked out, unless another run keeps it out of a database of this server',
);

/**
 * Everybody leaves but those who only read WAL or vacuum, and this step's own sessions (`:'ours'`). Only a superuser may end a
 * superuser's: without one the switch is given up while such a session is there.
 */
export function endSessions(facts: FenceFacts): Command {
  return sql(
    'source',
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()' +
      " AND backend_type NOT IN ('walsender', 'autovacuum worker') AND pid <> ALL (:'ours'::int[])" +
      (facts.binding.source.superuser ? '' : ' AND usesysid NOT IN (SELECT oid FROM pg_roles WHERE rolsuper)'),
    'while other sessions are left',
  );
}

/** In quotes, since `-9223372036854775808::bigint` is out of range. The values of the old side, or the target's own where that is further on: never backwards. Null without sequences. */
export function setSequences(facts: MigrationFacts): Command | null {
  const { sequences } = facts.binding.source;
  if (sequences.length === 0) return null;
  const rows = sequences.map((one, index) => `(${quoteLiteral(qualified(one))}, :'last_${index}'::bigint, :called_${index}::boolean)`);
  return sql('target', `SELECT setval(name::regclass, last, called) FROM (VALUES ${rows.join(', ')}) AS s (name, last, called)`);
}

/** Inside a transaction; the comparison's sessions join this snapshot later. */
export const exportSnapshot: Command = sql('target', 'SELECT pg_export_snapshot() AS snapshot, pg_current_snapshot()::text AS visible');
/** Keeps the snapshot, even when the worker is gone. */
export const keepSnapshot: Command = sql('target', 'SELECT pg_sleep(:seconds)');
/** By name, since a process id may be somebody else's by now; `:own` is this attempt's own exporting session, or 0. */
export const dropSnapshot: Command = sql(
  'target',
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :'exporter' AND pid <> :own",
);

export function closeTarget(_migration: Migration, facts: MigrationFacts): Command[] {
  return [...shut('target', facts), endClients];
}

export function reopenTarget(_migration: Migration, facts: MigrationFacts): Command[] {
  return unshut('target', facts);
}

/** Only looks. */
export function gate(_migration: Migration, _facts: MigrationFacts): Command[] {
  return [];
}

export function switchOver(migration: Migration, facts: MigrationFacts): Command[] {
  const { pooler } = facts.binding;
  const sequences = setSequences(facts);
  const subscribers = carriedSlots(migration, facts);
  return [
    endEarlier('source'),
    endEarlier('target'),
    ...(pooler ? [pause(pooler.alias)] : []),
    ...shut('source', facts),
    ...(facts.binding.source.superuser ? [lockOut] : []),
    endSessions(facts),
    marker('source'),
    marker('target'),
    ...(subscribers.length > 0 ? [movePlaces(subscribers)] : []),
    ...(sequences ? [sequences] : []),
    ...carryConfiguration(migration, facts),
    { ...dropSnapshot, when: 'after an attempt that kept one and went no further' },
    exportSnapshot,
    keepSnapshot,
    ...forward(migration, facts),
  ];
}

/** What is left to do once "forward" is decided; every part may be repeated. */
export function forward(migration: Migration, facts: MigrationFacts): Command[] {
  const { pooler, target } = facts.binding;
  return [
    ...enableTriggers(heldTriggers(migration, facts)),
    ...unshut('target', facts),
    ...(pooler ? [repoint(pooler.alias, target), reload, resume(pooler.alias)] : []),
  ];
}

/** The old side serves again; also what a failed attempt does by itself. */
export function switchBack(migration: Migration, facts: MigrationFacts): Command[] {
  const { pooler } = facts.binding;
  const letting = facts.binding.source.superuser ? [letIn] : [];
  return [
    endEarlier('source'),
    ...letting,
    ...unshut('source', facts),
    ...(pooler ? [repoint(pooler.alias, pooler), reload, resume(pooler.alias)] : []),
    dropSnapshot,
    ...clearConfiguration(migration, facts),
  ];
}
