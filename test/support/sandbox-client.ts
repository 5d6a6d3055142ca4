import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { layoutOf } from '../../sandbox/layout.ts';
import type { Cluster } from '../../sandbox/postgres.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';

/** A connection as Steadyhand's own login: after a switch every other superuser is locked out of the source. `end()` it. */
export async function clientOf(sandbox: Sandbox, { host, port }: Pick<Cluster, 'host' | 'port'>, database: string): Promise<pg.Client> {
  const password = (await readFile(layoutOf(sandbox.directory).secretFile('steadyhand'), 'utf8')).trim();
  const client = new pg.Client({ host, port, user: 'steadyhand', password, database, application_name: 'test' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
