import { userSchema } from '../user-objects.ts';
import { staysOpen } from './closing.ts';
import { blocks, listed, warns, type Found, type View } from './view.ts';

/** What Steadyhand's role needs on a side where it is no superuser, beside the rights that every kind is asked for. */
export async function withoutSuperuser(view: View): Promise<Found[]> {
  const { source, target } = view.facts.binding;
  return [
    ...(source.superuser ? [] : await publishes(view)),
    ...(target.superuser ? [] : [...carriesPassword(view), ...(await ownsTheirTables(view))]),
    ...(await staysOpen(view.source, view.migration.source, source)),
    ...(await staysOpen(view.target, view.migration.target, target)),
  ];
}

/** A publication is made by those who own the tables, and only superusers have event triggers. */
async function publishes({ source, migration }: View): Promise<Found[]> {
  const rows = await source.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND ${userSchema} AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1`,
  );
  const whose = `Steadyhand's role on ${migration.source}`;
  const tables = listed(
    rows.map((row) => row.name),
    'tables',
  );
  return [
    ...(rows.length > 0 ? [blocks(`${whose} does not own ${tables}`, 'GRANT the roles that own them to it.')] : []),
    warns(
      `${whose} is no superuser: nothing refuses DDL while the run lasts, and superusers cannot be kept out`,
      'Let nobody change the schema, and no superuser connect, until the run has ended. The run stops when it sees either.',
    ),
  ];
}

/** PostgreSQL lets only superusers subscribe without a password, or by a password file of the server. */
function carriesPassword({ servers, migration }: View): Found[] {
  const { server, replication } = servers.entry(migration.source);
  if (replication?.passfile === undefined && (replication ?? server).secret !== undefined) return [];
  return [
    blocks(
      `Steadyhand's role on ${migration.target} is no superuser, so its subscription must carry a password, and the inventory has no replication.secret for ${migration.source}`,
      'Give the replication entry of the source a secret in place of a passfile.',
    ),
  ];
}

/** Tables are made for their owners, and changes applied as these. */
async function ownsTheirTables({ source, target, migration, facts }: View): Promise<Found[]> {
  const owners = await source.query<{ name: string }>(
    `SELECT DISTINCT pg_get_userbyid(c.relowner) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND ${userSchema} ORDER BY 1`,
  );
  const right = facts.binding.target.version >= 160_000 ? 'SET' : 'MEMBER';
  const missing = await target.query<{ name: string }>(
    `SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ($1::text[]) AND NOT (pg_has_role(oid, $2) AND pg_has_role(oid, 'USAGE')) ORDER BY 1`,
    [owners.map((row) => row.name), right],
  );
  if (missing.length === 0) return [];
  const names = listed(
    missing.map((row) => row.name),
    'roles that own tables',
  );
  return [
    blocks(
      `Steadyhand's role on ${migration.target} is no member of ${names}, so it can neither make nor fill them`,
      'GRANT these roles to it.',
    ),
  ];
}
