import type { DatabaseEntry } from '../../domain/inventory.ts';
import type { SequenceFacts, SideFacts } from '../replication/facts.ts';
import { describe } from '../providers/describe.ts';
import { applyTriggers } from './apply-triggers.ts';
import { configurationTables } from './configuration.ts';
import { areFenced, connectGrants } from './connect-grants.ts';
import { definitionsDigest } from './definitions.ts';
import { otherObjects } from './other-objects.ts';
import { otherPublications, otherSubscribers } from './other-subscribers.ts';
import type { Servers, Session } from './session.ts';
import { tableFacts } from './table-facts.ts';
import { ownObject, userSchema } from './user-objects.ts';

/** The settings that decide whether logical replication can work; what a version does not know is left out. */
const settingNames = [
  'wal_level',
  'max_replication_slots',
  'max_wal_senders',
  'max_logical_replication_workers',
  'max_worker_processes',
  'max_sync_workers_per_subscription',
  'max_active_replication_origins',
  'max_slot_wal_keep_size',
  'wal_sender_timeout',
  'max_connections',
  'server_encoding',
];

interface SideOptions {
  /** Of which names to tell the attributes; the side's own when absent. */
  readonly roles?: readonly string[];
  /** What a fence of ours, if it is up, has replaced (journal). */
  readonly connectionLimit?: number | undefined;
  readonly connects?: SideFacts['connects'] | undefined;
  /** Of the source: as they were published (journal); taken now when absent. */
  readonly definitions?: string | undefined;
  /** The target has facts fewer. */
  readonly as?: 'source';
}

/** The binding facts of one side. */
export async function inspectSide(servers: Servers, database: string, options: SideOptions): Promise<SideFacts> {
  const { systemIdentifier, databaseOid, version, inRecovery } = await describe(servers, database);
  const { host, port, dbname } = servers.entry(database).server;
  const session = await servers.open(database, { purpose: 'look' });
  try {
    await deparseAlike(session);
    const identity = { systemIdentifier, databaseOid, version, inRecovery, host, port, dbname };
    const general = await databaseFacts(session);
    return {
      ...identity,
      ...general,
      connectionLimit: general.connectionLimit === 0 ? (options.connectionLimit ?? 0) : general.connectionLimit,
      settings: await settings(session),
      extensions: await session.query(
        `SELECT extname AS name, extversion AS version, n.nspname AS schema
           FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY extname COLLATE "C"`,
      ),
      tables: await tableFacts(session, version),
      sequences: await sequences(session),
      materializedViews: await session.query(
        `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'm' AND ${userSchema} AND ${ownObject('pg_class', 'c.oid')}
          ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
      ),
      otherObjects: await otherObjects(session, version),
      applyTriggers: await applyTriggers(session),
      configuration: await configurationTables(session),
      schemas: await schemas(session),
      roles: await roles(session, options.roles),
      ...(await fenceFacts(session, servers.entry(database), general.superuser, options)),
      subscribers: options.as === 'source' ? await otherSubscribers(session, version) : [],
      publications: options.as === 'source' ? await otherPublications(session, version) : [],
      definitions:
        options.as !== 'source' || general.superuser ? null : (options.definitions ?? (await definitionsDigest(session, version))),
    };
  } finally {
    await session.end();
  }
}

async function fenceFacts(
  session: Session,
  { server, replication }: DatabaseEntry,
  superuser: boolean,
  { as, connects }: SideOptions,
): Promise<Pick<SideFacts, 'logins' | 'connects'>> {
  const streams = as === 'source' ? (replication?.user ?? server.user) : server.user;
  const logins = [...new Set([server.user, streams])];
  if (superuser) return { logins, connects: null };
  const now = await connectGrants(session);
  return { logins, connects: areFenced(now, logins) ? (connects ?? now) : now };
}

/** Names in expressions and identities come out qualified and quoted, whoever asks and whatever words the version reserves. */
async function deparseAlike(session: Session): Promise<void> {
  await session.query('SET search_path = pg_catalog');
  await session.query('SET quote_all_identifiers = on');
}

async function databaseFacts(session: Session): Promise<Pick<SideFacts, 'encoding' | 'collate' | 'connectionLimit' | 'superuser'>> {
  const [row] = await session.query<Pick<SideFacts, 'encoding' | 'collate' | 'connectionLimit' | 'superuser'>>(
    `SELECT pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datconnlimit AS "connectionLimit",
            (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser
       FROM pg_database WHERE datname = current_database()`,
  );
  if (!row) throw new Error('a database that answers stands in pg_database');
  return row;
}

async function settings(session: Session): Promise<Record<string, string>> {
  const rows = await session.query<{ name: string; value: string }>(
    'SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY ($1) ORDER BY name',
    [settingNames],
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.value]));
}

/** Those of extensions, too: CREATE EXTENSION makes them, and their values go along as the users' own. */
async function sequences(session: Session): Promise<SequenceFacts[]> {
  return await session.query<SequenceFacts & Record<string, unknown>>(
    `SELECT n.nspname AS schema, c.relname AS name, e.extname AS extension, s.seqincrement::text AS increment, s.seqmin::text AS min, s.seqmax::text AS max
       FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
         AND d.refclassid = 'pg_extension'::regclass
       LEFT JOIN pg_extension e ON e.oid = d.refobjid
      WHERE (e.oid IS NOT NULL OR ${userSchema}) AND c.relpersistence <> 't' ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
}

async function schemas(session: Session): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT n.nspname AS name FROM pg_namespace n WHERE ${userSchema} AND ${ownObject('pg_namespace', 'n.oid')}
      ORDER BY n.nspname COLLATE "C"`,
  );
  return rows.map((row) => row.name);
}

/** Owners, grantees and policies' roles of user objects; what belongs to our own schema does not count. */
const usedRoles = `
  SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${userSchema}
  UNION SELECT n.nspowner FROM pg_namespace n WHERE ${userSchema}
  UNION SELECT p.proowner FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${userSchema}
  UNION SELECT t.typowner FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${userSchema}
  UNION SELECT s.refobjid FROM pg_shdepend s
         WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype IN ('a', 'r')
           AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                            WHERE s.classid = 'pg_class'::regclass AND c.oid = s.objid AND n.nspname = 'steadyhand')
           AND NOT EXISTS (SELECT FROM pg_namespace n
                            WHERE s.classid = 'pg_namespace'::regclass AND n.oid = s.objid AND n.nspname = 'steadyhand')`;

async function roles(session: Session, names: readonly string[] | undefined): Promise<SideFacts['roles']> {
  return await session.query<{ name: string; login: boolean; superuser: boolean }>(
    `SELECT r.rolname AS name, r.rolcanlogin AS login, r.rolsuper AS superuser FROM pg_roles r
      WHERE r.rolname NOT LIKE 'pg\\_%' AND ${names ? 'r.rolname = ANY ($1)' : `r.oid IN (${usedRoles})`}
      ORDER BY r.rolname COLLATE "C"`,
    names ? [names] : [],
  );
}
