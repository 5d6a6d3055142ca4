import type { Intent } from '../../../control/contract.ts';
import { against, type FactFinding } from '../../../domain/finding.ts';
import { takeFacts, type Report } from '../../engine/gather-findings.ts';
import { readAlias } from '../../pooling/config-file.ts';
import { cannotClose } from '../../postgres/preflight/closing.ts';
import { areFenced, connectGrants } from '../../postgres/connect-grants.ts';
import type { Opening, Session } from '../../postgres/session.ts';
import type { ConnectGrant, FenceFacts, FenceSide } from '../../replication/facts.ts';
import type { DatabaseEntry, Inventory } from '../../../domain/inventory.ts';
import type { VerificationRules } from '../../../domain/verification.ts';
import { onLive, onRestored, type Places } from '../places.ts';
import { countLost } from './count-lost.ts';
import type { Lost, SwitchingFacts } from './facts.ts';
import { otherDatabases, sharedInstance } from './other-databases.ts';
import { copyOf, usersOf } from './switching.ts';

interface Asked extends Places {
  /** There is a copy that answers. */
  readonly isRestored: boolean;
  /** ISO 8601; null for a snapshot. */
  readonly since: string | null;
  readonly newestRow: VerificationRules['newestRow'];
  readonly journal: readonly Intent[];
  /** The provider's own, which are none of the application's. */
  readonly ownRoles: string | undefined;
  readonly inventory: Inventory;
}

export interface SeenSwitching {
  readonly binding: SwitchingFacts;
  readonly observed: {
    /** What a switch now would lose. */
    readonly toBeLost: Lost;
    /** Roles that may log in, and whose secret the inventory has not. */
    readonly withoutSecret: readonly string[];
    /** Logical replication slots of the database in use, which the copy has not. */
    readonly slots: readonly string[];
    /** Databases that go back to the moment, too, and that Steadyhand's login cannot look into. */
    readonly notLookedInto: readonly string[];
  };
}

/**
 * What it takes to put the restored copy in the place of the database in use, and what that would cost. Reads only. Reports an
 * application that logs in as Steadyhand does, a side that Steadyhand's role cannot close, what else stands on the instance, a role
 * of the application that the copy has not, a subscription that Steadyhand's role may not disable, and a pooler without the alias;
 * without `report` it raises them as one failure.
 */
export async function takeSwitchingFacts(asked: Asked, report?: Report): Promise<SeenSwitching> {
  return await takeFacts(async (found) => await seenSwitching(asked, found), report);
}

async function seenSwitching(asked: Asked, report: Report): Promise<SeenSwitching> {
  const { servers, recovery, isRestored, since, newestRow, journal, ownRoles, inventory } = asked;
  const entry = servers.entry(recovery.database);
  report([...sharedLogin(entry, recovery.database), ...sharedInstance(inventory, recovery.database)]);
  const roles = usersOf(entry).flatMap(({ name, secret }) => (secret === undefined ? [] : [name]));
  const before = journal.findLast((one) => one.step === 'fence')?.before ?? null;
  const known = [...roles, entry.server.user];
  const others = async (session: Session, what: string, server: Pick<Opening, 'server'>): Promise<string[]> => {
    const { found, ...seen } = await otherDatabases(session, {
      ...{ what: `the server of ${what}`, ownRoles },
      open: async (opening) => await servers.open(recovery.database, { purpose: 'look', ...opening, ...server }),
    });
    report(found);
    return seen.notLookedInto;
  };
  const side = async (session: Session, what: string, fenced: unknown): Promise<FenceSide> =>
    await sideOf(session, { what, login: entry.server.user, before: fenced, report });
  const { live, followed, notLookedInto, ...observed } = await onLive(asked, async (session) => ({
    live: await side(session, recovery.database, before?.['live']),
    toBeLost: await countLost(session, since, newestRow),
    withoutSecret: await otherLogins(session, known, ownRoles),
    slots: await slotsOf(session),
    followed: await subscriptionsOf(session, recovery.database, report),
    notLookedInto: await others(session, recovery.database, {}),
  }));
  const copy = isRestored
    ? await onRestored(asked, async (session) => {
        report(await missingRoles(session, roles, recovery.database));
        return {
          side: await side(session, copyOf(recovery.database), before?.['copy']),
          subscriptions: await subscriptionsOf(session, copyOf(recovery.database), report),
          notLookedInto: await others(session, copyOf(recovery.database), { server: recovery.restored }),
        };
      })
    : null;
  const subscriptions = copy?.subscriptions ?? followed;
  return {
    binding: { live, copy: copy?.side ?? null, pooler: await aliasOf(asked, report), roles, subscriptions },
    observed: { ...observed, notLookedInto: [...notLookedInto, ...(copy?.notLookedInto ?? [])] },
  };
}

interface AskedSide {
  readonly what: string;
  readonly login: string;
  /** What a fence of this run, if it is up, has replaced. */
  readonly before: unknown;
  readonly report: Report;
}

/** Reports why Steadyhand's role could not close it. */
async function sideOf(session: Session, { what, login, before, report }: AskedSide): Promise<FenceSide> {
  const [row] = await session.query<Omit<FenceSide, 'logins' | 'connects' | 'databaseOid'> & { databaseOid: string }>(
    `SELECT c.system_identifier::text AS "systemIdentifier", d.oid::int8::text AS "databaseOid", d.datname AS dbname,
            d.datconnlimit AS "connectionLimit", (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser
       FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()`,
  );
  if (!row) throw new Error('a database that answers stands in pg_database');
  const connects = row.superuser ? null : await connectGrants(session);
  const seen = { ...row, databaseOid: Number(row.databaseOid), logins: [login], connects };
  report((await cannotClose(session, what, seen)).map(({ evidence, fix }) => against('fence', evidence, fix)));
  const isShut = connects === null ? row.connectionLimit === 0 : areFenced(connects, [login]);
  return isShut && isBefore(before) ? { ...seen, ...before } : seen;
}

type BeforeFence = Pick<FenceSide, 'connectionLimit' | 'connects'>;

/** Written by the fence itself, `beforeFence`. */
function isBefore(before: unknown): before is BeforeFence {
  return typeof before === 'object' && before !== null && 'connectionLimit' in before && 'connects' in before;
}

export function beforeFence({ connectionLimit, connects }: FenceSide): {
  connectionLimit: number;
  connects: readonly ConnectGrant[] | null;
} {
  return { connectionLimit, connects };
}

/** Behind a pooler it would only wait; a client of its own could neither be told from Steadyhand nor kept out. */
function sharedLogin({ server, users = [] }: DatabaseEntry, database: string): FactFinding[] {
  if (users.every(({ name }) => name !== server.user)) return [];
  const evidence =
    `the application of ${database} logs in as ${server.user}, as Steadyhand does, so nobody could keep it out while the names are ` +
    'exchanged';
  return [against('login', evidence, 'Give it a role of its own, and name that one in its users.')];
}

async function otherLogins(session: Session, known: readonly string[], ownRoles: string | undefined): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT rolname AS name FROM pg_roles
      WHERE rolcanlogin AND NOT rolsuper AND rolname <> ALL ($1::text[]) AND rolname !~ '^pg_' AND coalesce(rolname !~ $2, true)
        AND has_database_privilege(oid, current_database(), 'CONNECT') ORDER BY rolname COLLATE "C"`,
    [known, ownRoles ?? null],
  );
  return rows.map((row) => row.name);
}

async function slotsOf(session: Session): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT slot_name AS name FROM pg_replication_slots
      WHERE slot_type = 'logical' AND database = current_database() AND NOT temporary ORDER BY slot_name COLLATE "C"`,
  );
  return rows.map((row) => row.name);
}

async function subscriptionsOf(session: Session, what: string, report: Report): Promise<string[]> {
  const rows = await session.query<{ name: string; owner: string; ours: boolean }>(
    `SELECT subname AS name, pg_get_userbyid(subowner) AS owner, pg_has_role(subowner, 'USAGE') AS ours FROM pg_subscription
      WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY subname COLLATE "C"`,
  );
  const owned = rows.filter(({ ours }) => !ours).map(({ name, owner }) => `${name} (of ${owner})`);
  const evidence = `${what} has subscriptions that Steadyhand’s role may not disable: ${owned.join(', ')}`;
  if (owned.length > 0) report([against('subscriptions', evidence, 'Make it a member of their owners.')]);
  return rows.map((row) => row.name);
}

async function missingRoles(session: Session, roles: readonly string[], database: string): Promise<FactFinding[]> {
  const rows = await session.query<{ name: string }>('SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND rolname = ANY ($1)', [
    roles,
  ]);
  const missing = roles.filter((role) => !rows.some((row) => row.name === role));
  if (missing.length === 0) return [];
  const evidence = `the restored copy of ${database} has no role ${missing.join(', ')} that may log in: it is older than the role`;
  return [against('roles', evidence, 'Create it on the copy, or restore a later moment.')];
}

async function aliasOf({ servers, recovery: { database } }: Places, report: Report): Promise<FenceFacts['binding']['pooler']> {
  const { pooler } = servers.entry(database);
  if (!pooler) return null;
  const address = await readAlias(pooler.configFile, pooler.alias);
  if (address) return { alias: pooler.alias, host: address.host, port: address.port, dbname: address.dbname };
  const evidence = `the pooler of ${database} has no alias "${pooler.alias}" in ${pooler.configFile}`;
  report([against('pooler', evidence, 'Correct the alias in the inventory, or add it to the file.')]);
  return null;
}
