import { quoteIdentifier, quoteLiteral } from '../../../domain/command.ts';
import { withSuperuser } from '../../application/application.ts';
import type { Cluster } from '../../postgres.ts';

/** AWS's own superuser and database, which customers see and cannot use. */
export const superuser = 'rdsadmin';
export const systemDatabase = 'rdsadmin';

export interface Master {
  readonly name: string;
  readonly password: string;
  readonly database: string | undefined;
}

/**
 * The roles of a new instance. As at AWS the master is no superuser, and can make roles, databases and replication slots, read all
 * settings and statistics, end sessions and make AWS's extensions. Stock PostgreSQL cannot let it make publications FOR ALL TABLES
 * or event triggers, which AWS's own build does; and it gets REPLICATION itself, as a membership in `rds_replication` gives nothing
 * here.
 */
export async function makeRoles(cluster: Cluster, major: number, master: Master): Promise<void> {
  const name = quoteIdentifier(master.name);
  await withSuperuser(cluster, 'postgres', async (client) => {
    for (const role of ['rds_superuser', 'rds_replication', 'rds_password', 'rds_iam']) await client.query(`CREATE ROLE ${role} NOLOGIN`);
    for (const role of granted(major)) await client.query(`GRANT ${role} TO rds_superuser WITH ADMIN OPTION`);
    await client.query(`CREATE ROLE ${name} LOGIN CREATEDB CREATEROLE REPLICATION PASSWORD ${quoteLiteral(master.password)}`);
    await client.query(`GRANT rds_superuser, rds_replication TO ${name} WITH ADMIN OPTION`);
    await client.query(`ALTER DATABASE postgres OWNER TO ${name}`);
    await client.query(`CREATE DATABASE ${systemDatabase}`);
    await client.query(`REVOKE CONNECT ON DATABASE ${systemDatabase} FROM PUBLIC`);
    if (master.database !== undefined && master.database !== 'postgres')
      await client.query(`CREATE DATABASE ${quoteIdentifier(master.database)} OWNER ${name}`);
  });
}

/** Not pg_read_all_data, with which it could read passwords' verifiers. */
function granted(major: number): string[] {
  const always = ['pg_monitor', 'pg_signal_backend', 'pg_checkpoint'];
  const since16 = ['pg_create_subscription', 'pg_use_reserved_connections'];
  return [...always, ...(major >= 16 ? since16 : []), ...(major >= 17 ? ['pg_maintain'] : [])];
}

/** Sets the master's password; the same again is harmless. */
export async function setMasterPassword(cluster: Cluster, master: string, password: string): Promise<void> {
  await withSuperuser(cluster, 'postgres', (client) =>
    client.query(`ALTER ROLE ${quoteIdentifier(master)} PASSWORD ${quoteLiteral(password)}`),
  );
}
