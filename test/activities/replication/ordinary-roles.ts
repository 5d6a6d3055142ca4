import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Migration } from '../../../activities/replication/contract.ts';
import type { Sides } from '../../../activities/replication/side.ts';
import { quoteIdentifier } from '../../../domain/command.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';
import { scriptOf } from '../../support/scripts-of-servers.ts';
import { connect, inDatabase, makeBench, startPair, type Bench, type Pair } from '../support.ts';

export interface Begun {
  readonly bench: Bench;
  readonly sides: Sides;
  readonly journal: Journal;
}

export interface Place {
  readonly pair: Pair;
  /** `also`: statements after the page's own. */
  begin(options?: { readonly also?: Partial<Record<'source' | 'target', string>>; readonly way?: Migration['schema'] }): Promise<Begun>;
}

/** Of the application; `letters` hides its rows from everybody whom a policy counts for, its owner too. */
const schema = `
  CREATE TABLE orders (id bigserial PRIMARY KEY, note text);
  CREATE TABLE letters (id int PRIMARY KEY, note text);
  ALTER TABLE letters ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY nobodys ON letters USING (false);
  ALTER TABLE orders OWNER TO orders_owner; ALTER TABLE letters OWNER TO orders_owner;
  GRANT SELECT, INSERT ON orders TO app; GRANT USAGE ON SEQUENCE orders_id_seq TO app;`;
const rows = `INSERT INTO orders (note) SELECT 'x' FROM generate_series(1, 300); INSERT INTO letters SELECT i, 'y' FROM generate_series(1, 20) i`;

/** Two servers for the file, and for each test a database in which Steadyhand has what the scripts of docs/servers.md give it, and no more. */
export function ordinaryRoles(source?: Parameters<typeof startPair>[0]): Place {
  let pair: Pair;
  let secrets: string;
  beforeAll(async () => {
    secrets = mkdtempSync(join(tmpdir(), 'steadyhand-rights-'));
    writeFileSync(join(secrets, 'steadyhand'), 'change-me');
    writeFileSync(join(secrets, 'steadyhand_replication'), 'change-me-too');
    pair = await startPair(source);
    for (const side of [pair.source, pair.target])
      await inDatabase(side, 'postgres', "CREATE ROLE orders_owner BYPASSRLS; CREATE ROLE app LOGIN PASSWORD 'app'");
  }, 60_000);
  afterAll(async () => {
    await pair.stop();
    rmSync(secrets, { recursive: true });
  }, 30_000);
  return {
    get pair() {
      return pair;
    },
    begin: async ({ also = {}, way = 'already-there' } = {}) => {
      const bench = await makeBench(pair, way === 'copy' ? { sourceOnly: schema + rows } : { schema, sourceOnly: rows });
      onTestFinished(async () => await clear(pair, bench), 20_000);
      for (const side of ['source', 'target'] as const) {
        await bench[side].query(`ALTER DATABASE ${bench.dbname} OWNER TO orders_owner`);
        for (const statement of [...scriptOf(side), also[side] ?? '']) await bench[side].query(statement);
        const server = { user: 'steadyhand', secret: { file: join(secrets, 'steadyhand') } };
        const replication = { user: 'steadyhand_replication', secret: { file: join(secrets, 'steadyhand_replication') } };
        bench.configure(side, (entry) => ({
          ...entry,
          server: { ...entry.server, ...server },
          ...(side === 'source' ? { replication } : {}),
        }));
      }
      const journal = createJournal();
      const { migration, facts } = await bench.prepare({ tag: journal.tag, schema: way });
      // No superuser may be inside; the test's own connections are some.
      await bench.end();
      return { bench, journal, sides: { servers: bench.servers, migration, facts } };
    },
  };
}

const rolesOfPage = ['steadyhand', 'steadyhand_replication'];

/** Whatever a failed test has left: the roles have the same names in the next one. */
async function clear(pair: Pair, { dbname }: Bench): Promise<void> {
  const inside = await connect(pair.target, dbname);
  const { rows: subscriptions } = await inside.query<{ name: string }>(
    'SELECT quote_ident(subname) AS name FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()',
  );
  for (const { name } of subscriptions)
    await inside.query(`ALTER SUBSCRIPTION ${name} DISABLE; ALTER SUBSCRIPTION ${name} SET (slot_name = NONE); DROP SUBSCRIPTION ${name}`);
  await inside.end();
  for (const side of [pair.target, pair.source]) {
    const client = await connect(side, 'postgres');
    await client.query("SET statement_timeout = '5s'");
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [dbname]);
    await client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1', [dbname]);
    await client.query(`DROP DATABASE ${quoteIdentifier(dbname)} WITH (FORCE)`);
    for (const role of rolesOfPage) if (await exists(client, role)) await client.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    await client.end();
  }
}

async function exists(client: pg.Client, role: string): Promise<boolean> {
  return (await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role])).rowCount === 1;
}
