import { mkdir, writeFile } from 'node:fs/promises';
import { createControl } from '../control/control.ts';
import { migrate } from '../control/migrate.ts';
import { quoteLiteral } from '../domain/command.ts';
import { withSuperuser } from './application/application.ts';
import { people } from './inventory.ts';
import type { Layout } from './layout.ts';
import type { Cluster } from './postgres.ts';
import { scramVerifier } from '../activities/postgres/scram-verifier.ts';
import type { Secrets } from './secrets.ts';

const owner = 'steadyhand_owner';
const application = 'steadyhand_app';
const database = 'steadyhand';

/** The control database as its owner and as the application, without a password. */
export function controlAddresses({ host, port }: Cluster): { readonly owner: string; readonly application: string } {
  const of = (role: string): string => `postgres://${role}@${host}:${port}/${database}`;
  return { owner: of(owner), application: of(application) };
}

/** Roles, database and schema. For a new cluster. */
export async function createControlDatabase(cluster: Cluster, secrets: Secrets): Promise<void> {
  await withSuperuser(cluster, 'postgres', async (client) => {
    await client.query('SET log_statement = none');
    await client.query(`CREATE ROLE ${owner} LOGIN CREATEROLE PASSWORD ${quoteLiteral(scramVerifier(secrets.steadyhand_owner))}`);
    await client.query(`CREATE ROLE ${application} LOGIN PASSWORD ${quoteLiteral(scramVerifier(secrets.steadyhand_app))}`);
    await client.query(`CREATE DATABASE ${database} OWNER ${owner}`);
  });
  await migrate({ connectionString: controlAddresses(cluster).owner, password: secrets.steadyhand_owner, application });
}

/** A bearer token for everybody, each in a file of its own. */
export async function makeTokens(layout: Layout, cluster: Cluster, secrets: Secrets): Promise<void> {
  await mkdir(layout.tokens, { recursive: true, mode: 0o700 });
  const control = createControl({
    connectionString: controlAddresses(cluster).application,
    password: secrets.steadyhand_app,
    applicationName: 'sandbox',
  });
  try {
    for (const { name } of people) {
      const actor = { kind: 'system', name: 'steadyhand', channel: 'host' } as const;
      const { token } = await control.tokens.create({ person: name, note: 'sandbox', actor });
      await writeFile(layout.tokenFile(name), `${token}\n`, { mode: 0o600 });
    }
  } finally {
    await control.close();
  }
}
