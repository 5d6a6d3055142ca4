import type { ConnectGrant, SideFacts } from '../replication/facts.ts';
import type { Session } from './session.ts';

/** Who holds CONNECT on the session's database, by name; PUBLIC first. A database without an ACL has PostgreSQL's default one. */
export async function connectGrants(session: Session): Promise<ConnectGrant[]> {
  return await session.query<ConnectGrant & Record<string, unknown>>(
    `SELECT r.rolname AS role, bool_or(a.is_grantable) AS grantable
       FROM pg_database d CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
      WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT' AND (a.grantee = 0 OR r.oid IS NOT NULL)
      GROUP BY r.rolname ORDER BY r.rolname COLLATE "C" NULLS FIRST`,
  );
}

/** Login roles, not superusers and not `logins`, that may still connect: by a grant, or as members of one that may. At most five. */
export async function whoMayConnect(session: Session, logins: SideFacts['logins']): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT rolname AS name FROM pg_roles
      WHERE rolcanlogin AND NOT rolsuper AND rolname <> ALL ($1::text[]) AND has_database_privilege(oid, current_database(), 'CONNECT')
      ORDER BY rolname LIMIT 5`,
    [logins],
  );
  return rows.map((row) => row.name);
}

/** Whether these are the grants of a fence: nobody holds CONNECT but Steadyhand's own logins. */
export function areFenced(connects: readonly ConnectGrant[], logins: SideFacts['logins']): boolean {
  return connects.every(({ role }) => role !== null && logins.includes(role));
}
