import { migrate } from '../../control/migrate.ts';
import { quoteLiteral } from '../../domain/command.ts';
import { withSuperuser } from '../../sandbox/application/application.ts';
import type { Cluster } from '../../sandbox/postgres.ts';

/** Makes a migrated control database in the cluster; its address with the application's role. */
export async function controlDatabase(cluster: Cluster): Promise<string> {
  const url = (role: string, password: string): string =>
    `postgres://${role}:${encodeURIComponent(password)}@${cluster.host}:${cluster.port}/steadyhand`;
  await withSuperuser(cluster, 'postgres', async (client) => {
    const secret = quoteLiteral(cluster.password);
    await client.query(`CREATE ROLE steadyhand_owner LOGIN CREATEROLE PASSWORD ${secret}`);
    await client.query(`CREATE ROLE steadyhand_app LOGIN PASSWORD ${secret}`);
    await client.query('CREATE DATABASE steadyhand OWNER steadyhand_owner');
  });
  await migrate({ connectionString: url('steadyhand_owner', cluster.password), application: 'steadyhand_app' });
  return url('steadyhand_app', cluster.password);
}
