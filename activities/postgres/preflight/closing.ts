import type { FenceSide } from '../../replication/facts.ts';
import type { Session } from '../session.ts';
import { lacking, type Right } from './lacking.ts';
import { blocks, type Found } from './view.ts';

/** What it takes to close a side to clients and to empty it. Without them PostgreSQL only warns, or shows nobody. */
export const closingRights: readonly Right[] = [
  {
    has: "pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE')",
    lacks: 'does not own the database, so it cannot close it to clients',
    fix: 'GRANT the owning role to it.',
  },
  {
    has: "pg_has_role('pg_read_all_stats', 'USAGE') AND pg_has_role('pg_signal_backend', 'USAGE')",
    lacks: 'may not see and end other sessions, so it cannot empty the database',
    fix: 'GRANT pg_monitor and pg_signal_backend to it.',
  },
];

/** Whatever would leave a side open that Steadyhand's role is to close. */
export async function cannotClose(session: Session, side: string, facts: FenceSide): Promise<Found[]> {
  return [...(await lacking(session, side, closingRights)), ...(await staysOpen(session, side, facts))];
}

/** Where CONNECT is taken away to close a side: by the owner's own grants, and with nobody who would keep the right through us. */
export async function staysOpen(session: Session, side: string, { connects, logins, dbname }: FenceSide): Promise<Found[]> {
  if (connects === null) return [];
  const found: Found[] = [];
  const others = await session.query<{ what: string }>(
    `SELECT format('%I by %I', coalesce(g.rolname, 'PUBLIC'), o.rolname) AS what
       FROM pg_database d CROSS JOIN aclexplode(d.datacl) a JOIN pg_roles o ON o.oid = a.grantor LEFT JOIN pg_roles g ON g.oid = a.grantee
      WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT' AND a.grantor <> d.datdba ORDER BY 1`,
  );
  if (others.length > 0)
    found.push(
      blocks(
        `CONNECT on ${dbname} of ${side} was granted by others than its owner: ${others.map((row) => row.what).join(', ')}; it could not be taken away and given back exactly`,
        'REVOKE these as their grantors, and grant them as the owner.',
      ),
    );
  const members = await session.query<{ name: string }>(
    `SELECT rolname AS name FROM pg_roles r WHERE rolcanlogin AND NOT rolsuper AND rolname <> ALL ($1::text[])
        AND EXISTS (SELECT FROM pg_roles l WHERE l.rolname = ANY ($1::text[]) AND pg_has_role(r.oid, l.oid, 'USAGE')) ORDER BY 1`,
    [logins],
  );
  if (members.length > 0)
    found.push(
      blocks(
        `on ${side} these are members of Steadyhand's roles, so they could still connect when it is closed: ${members.map((row) => row.name).join(', ')}`,
        'REVOKE the membership.',
      ),
    );
  return found;
}
