import { Failure } from '../../../domain/failure.ts';
import { against, type FactFinding } from '../../../domain/finding.ts';
import type { Inventory } from '../../../domain/inventory.ts';
import type { Opening, Session } from '../../postgres/session.ts';
import { ownObject, userSchema } from '../../postgres/user-objects.ts';
import { answered } from '../looked.ts';

interface Server {
  /** As people are told of it. */
  readonly what: string;
  /** Roles of the provider's own, whose databases are not the users'. */
  readonly ownRoles: string | undefined;
  /** Opens a session of the server. */
  open(opening: Pick<Opening, 'dbname'>): Promise<Session>;
}

/** Every server has it, and most have nothing in it. */
const common = 'postgres';

/**
 * The names go with the instance, so all its databases would go back to the moment, and only one of them is fenced. Finds
 * another one that may be connected to, `postgres` only when something is in it. Where nobody can look, that one is named.
 */
export async function otherDatabases(session: Session, server: Server): Promise<{ found: FactFinding[]; notLookedInto: string[] }> {
  const { what, ownRoles } = server;
  const there = await session.query<{ name: string }>(
    `SELECT datname AS name FROM pg_database
      WHERE datallowconn AND NOT datistemplate AND datname <> current_database()
        AND (datname = $2 OR coalesce(pg_get_userbyid(datdba) !~ $1, true)) ORDER BY datname COLLATE "C"`,
    [ownRoles ?? null, common],
  );
  const held = there.some(({ name }) => name === common) ? await tablesIn(server) : [];
  const inTheWay = [
    ...there.flatMap(({ name }) => (name === common ? [] : [name])),
    ...(held instanceof Failure || held.length === 0 ? [] : [`${common} (${held.join(', ')})`]),
  ];
  if (inTheWay.length === 0) return { found: [], notLookedInto: held instanceof Failure ? [`${common} on ${what}`] : [] };
  const evidence = `${what} has other databases, which would go back to the moment with it: ${inTheWay.join(', ')}`;
  const fix = 'Copy tables back instead (copy-back), or move these databases to a server of their own first.';
  return { found: [against('other databases', evidence, fix)], notLookedInto: [] };
}

/** At most five tables that users have made there; the failure where nobody can look. */
async function tablesIn({ ownRoles, open }: Server): Promise<string[] | Failure> {
  const rows = await answered(async () => {
    const session = await open({ dbname: common });
    try {
      return await session.query<{ name: string }>(
        `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'm') AND ${userSchema} AND ${ownObject('pg_class', 'c.oid')}
            AND coalesce(pg_get_userbyid(c.relowner) !~ $1, true) ORDER BY c.relname COLLATE "C" LIMIT 5`,
        [ownRoles ?? null],
      );
    } finally {
      await session.end();
    }
  });
  return rows instanceof Failure ? rows : rows.map(({ name }) => name);
}

/** Finds other entries of the inventory on the same instance. */
export function sharedInstance({ databases }: Inventory, database: string): FactFinding[] {
  const own = databases[database]?.rds;
  if (!own) return [];
  const others = Object.entries(databases).flatMap(([name, { rds }]) =>
    name !== database && rds?.instance === own.instance && rds.region === own.region ? [name] : [],
  );
  if (others.length === 0) return [];
  const evidence = `${others.join(', ')} stands on the instance "${own.instance}" of ${database}, too, and would go back to the moment with it`;
  return [against('shared instance', evidence, 'Copy tables back instead (copy-back).')];
}
