import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { fill, quoteIdentifier, quoteLiteral } from '../../domain/command.ts';
import type { Cluster } from '../postgres.ts';

/** Login roles of the demo application's servers, as SCRAM verifiers: the same on both sides, so that every login still fits. */
export interface ApplicationRoles {
  /** Steadyhand's own login: a superuser. */
  readonly steadyhand: string;
  /** The application's login: rights on rows only. */
  readonly orders_app: string;
}

export const applicationDatabase = 'orders';

/** Roles and the empty database `orders`, owned by the role orders_owner, which cannot log in. For a new cluster. */
export async function createApplicationDatabase(cluster: Cluster, roles: ApplicationRoles): Promise<void> {
  await withSuperuser(cluster, 'postgres', async (client) => {
    await client.query('SET log_statement = none');
    await client.query(`CREATE ROLE steadyhand LOGIN SUPERUSER REPLICATION PASSWORD ${quoteLiteral(roles.steadyhand)}`);
    await client.query('CREATE ROLE orders_owner NOLOGIN');
    await client.query(`CREATE ROLE orders_app LOGIN PASSWORD ${quoteLiteral(roles.orders_app)}`);
    await client.query(`CREATE DATABASE ${quoteIdentifier(applicationDatabase)} OWNER orders_owner`);
  });
}

/** What the application's own migrations would do: tables, sequences and everything else, and no rows. */
export async function migrateApplication(cluster: Cluster): Promise<void> {
  const schema = await readFile(new URL('schema.sql', import.meta.url), 'utf8');
  await withSuperuser(cluster, applicationDatabase, async (client) => {
    await client.query(schema);
  });
}

/** Fills the tables with `size` rows in all, repeatable except for uuids and times. */
export async function fillApplication(cluster: Cluster, size: number): Promise<void> {
  const data = await readFile(new URL('data.sql', import.meta.url), 'utf8');
  await withSuperuser(cluster, applicationDatabase, async (client) => {
    for (const statement of data.split(/;\n/).filter((text) => text.trim() !== ''))
      await client.query(fill({ kind: 'sql', text: statement }, { size }));
  });
}

/** A connection of the cluster's superuser for the time of `work`. */
export async function withSuperuser<Result>(
  cluster: Cluster,
  database: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const { host, port, superuser: user, password } = cluster;
  const client = new pg.Client({ host, port, user, password, database, application_name: 'sandbox' });
  // Without a listener a server that stops would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
