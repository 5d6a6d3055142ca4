import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { expect } from 'vitest';
import { sandboxConfiguration } from '../../../sandbox/configuration.ts';
import { startPgBouncer, type PgBouncer } from '../../../sandbox/pgbouncer.ts';
import { worldOf } from '../../e2e/objects.ts';
import { executedIn } from '../../support/executed.ts';
import { pooled } from '../../support/pooled.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import type { World } from '../stage.ts';
import { logEnd, logSince, type CutoverServers } from './servers.ts';

let number = 0;

/** A database of its own on both servers, with a pooler of its own. */
export async function newCutoverWorld(servers: CutoverServers): Promise<World> {
  number += 1;
  const dbname = `orders_${number}`;
  const database = `orders-${number}`;
  const from = { source: await logEnd(servers.source), target: await logEnd(servers.target) };
  await inPostgres(servers, 'source', `CREATE DATABASE ${dbname} TEMPLATE orders OWNER orders_owner STRATEGY file_copy`);
  await inPostgres(servers, 'target', `CREATE DATABASE ${dbname} TEMPLATE orders OWNER orders_owner STRATEGY file_copy`);
  const pgbouncer = pooled ? await poolerOf(servers, dbname) : undefined;
  // Somebody else who receives the source's changes, and must find a place on the target.
  const reader = `reader_of_${dbname}`;
  await connected(servers, 'source', dbname, async (client) => {
    await client.query('CREATE PUBLICATION everything FOR ALL TABLES');
    await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [reader]);
  });
  servers.addToInventory({
    [database]: { server: addressOf(servers, 'source', dbname), ...(pgbouncer ? { pooler: poolerEntry(servers, pgbouncer, dbname) } : {}) },
    [`${database}-18`]: { server: addressOf(servers, 'target', dbname) },
  });
  const both = async <Seen>(look: (client: pg.Client) => Promise<Seen>): Promise<Seen[]> => [
    await connected(servers, 'source', dbname, look),
    await connected(servers, 'target', dbname, look),
  ];
  return {
    database,
    input: {
      ...{ target: `${database}-18`, schema: postgres15 ? 'copy' : 'already-there' },
      ...{ otherSubscribers: 'carry', triggers: 'hold' },
    },
    snapshot: async () => ({ sides: await both(worldOf), pooler: pgbouncer ? await readFile(pgbouncer.configFile, 'utf8') : null }),
    executed: async () => {
      const executed = (['source', 'target'] as const).map(async (on) => {
        const statements = executedIn(await logSince(servers[on], from[on]), dbname);
        return statements.map(({ step, statement }) => ({ on, step, text: statement }));
      });
      return (await Promise.all(executed)).flat();
    },
    makes: ({ text }) => makes.test(text),
    judge: async () => {
      const [old, now] = await both(contents);
      expect(now?.rows).toEqual(old?.rows);
      const carried = [{ name: reader }, { name: 'everything' }];
      expect([old?.ours, now?.ours]).toEqual([carried, carried]);
      expect([old?.limit, now?.limit]).toEqual([0, -1]);
      expect([old?.triggers, now?.triggers]).toEqual([['A'], ['A']]);
      if (pgbouncer)
        expect(await readFile(pgbouncer.configFile, 'utf8')).toMatch(new RegExp(`^${dbname} = .*port=${servers.target.port}`, 'm'));
    },
    end: async () => {
      await pgbouncer?.stop();
      await removeDatabases(servers, dbname);
    },
  };
}

/** What makes something that must not be made twice. */
const makes = /^(CREATE (SCHEMA|TABLE|PUBLICATION|SUBSCRIPTION|EVENT TRIGGER)|SELECT .*(pg_create_logical_replication_slot|setval)\()/i;

function addressOf({ source, target, passwordFile }: CutoverServers, side: 'source' | 'target', dbname: string): object {
  const { host, port } = { source, target }[side];
  return { host, port, dbname, user: 'steadyhand', secret: { file: passwordFile }, sslmode: 'disable' };
}

async function poolerOf(servers: CutoverServers, dbname: string): Promise<PgBouncer> {
  const directory = join(servers.directory, `pgbouncer-${dbname}`);
  await mkdir(directory, { recursive: true });
  const { host, port } = servers.source;
  return await startPgBouncer({
    ...{ directory, logFile: join(directory, 'log'), pidFile: join(directory, 'pid.json') },
    databases: { [dbname]: { host, port, dbname } },
    users: { orders_app: servers.source.password },
    path: sandboxConfiguration().path,
  });
}

function poolerEntry(
  { passwordFile }: CutoverServers,
  { host, port, configFile, adminUser, adminPasswordFile }: PgBouncer,
  alias: string,
): object {
  const users = [{ name: 'orders_app', secret: { file: passwordFile } }];
  return { kind: 'pgbouncer', host, port, alias, configFile, admin: { user: adminUser, secret: { file: adminPasswordFile } }, users };
}

interface Contents {
  /** Every table with a digest of its rows, every sequence with its value. */
  readonly rows: unknown;
  /** Whatever of a run is still there. */
  readonly ours: unknown[];
  readonly limit: number | undefined;
  /** The mode of each trigger that the schema enables ALWAYS. */
  readonly triggers: readonly unknown[];
}

async function contents(client: pg.Client): Promise<Contents> {
  const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await client.query<Record<string, unknown>>(sql)).rows;
  const tables = await rows(
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
  );
  const digests: unknown[] = [];
  for (const { name } of tables) {
    digests.push([name, await rows(`SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM ${String(name)} t`)]);
  }
  const [database] = (
    await client.query<{ limit: number }>('SELECT datconnlimit AS limit FROM pg_database WHERE datname = current_database()')
  ).rows;
  return {
    rows: [
      digests,
      await rows("SELECT schemaname, sequencename, last_value FROM pg_sequences WHERE schemaname <> 'steadyhand' ORDER BY 1, 2"),
    ],
    ours: await rows(`
      SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database()
      UNION ALL SELECT pubname FROM pg_publication UNION ALL SELECT evtname FROM pg_event_trigger
      UNION ALL SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'steadyhand'`),
    limit: database?.limit,
    triggers: (await rows("SELECT tgenabled::text AS mode FROM pg_trigger WHERE tgname = 'orders_stamp'")).map(({ mode }) => mode),
  };
}

async function connected<Result>(
  servers: CutoverServers,
  side: 'source' | 'target',
  dbname: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await servers.connect(side, dbname);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function inPostgres(servers: CutoverServers, side: 'source' | 'target', ...statements: string[]): Promise<void> {
  await connected(servers, side, 'postgres', async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

/** With what an aborted run has left there. */
async function removeDatabases(servers: CutoverServers, dbname: string): Promise<void> {
  await connected(servers, 'target', dbname, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT quote_ident(subname) AS name FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())',
    );
    for (const { name } of rows) {
      await client.query(`ALTER SUBSCRIPTION ${name} DISABLE`);
      await client.query(`ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`);
      await client.query(`DROP SUBSCRIPTION ${name}`);
    }
  });
  await inPostgres(
    servers,
    'target',
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${dbname}'`,
    `DROP DATABASE ${dbname} WITH (FORCE)`,
  );
  await inPostgres(
    servers,
    'source',
    `SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE database = '${dbname}' AND active`,
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${dbname}'`,
    `DROP DATABASE ${dbname} WITH (FORCE)`,
  );
}
