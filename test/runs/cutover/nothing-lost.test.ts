import type pg from 'pg';
import { expect, test } from 'vitest';
import { join } from 'node:path';
import { createApplicationDatabase } from '../../../sandbox/application/application.ts';
import { previewSchema } from '../../../api/plan-answers.ts';
import { startCluster } from '../../../sandbox/postgres.ts';
import { scramVerifier } from '../../../activities/postgres/scram-verifier.ts';
import { movePlace, type Move } from '../../e2e/place.ts';
import { extendedPostgres15, writeExtensions } from '../../support/extended-postgres.ts';
import { postgres15 } from '../../support/postgres-15.ts';
import { clientOf } from '../../support/sandbox-client.ts';

/** Complete runs from a 15 to an 18 (from a 16, with the schema already there, where no 15 is installed). */
const place = movePlace();
const older = postgres15;
const tools: Record<string, string> =
  older === undefined ? {} : { STEADYHAND_PG_DUMP: join(older, 'pg_dump'), STEADYHAND_PG_RESTORE: join(older, 'pg_restore') };
const way = older === undefined ? ('already-there' as const) : ('copy' as const);

const schema = `
  CREATE TABLE accounts (id int PRIMARY KEY, email text NOT NULL, balance int NOT NULL DEFAULT 0);
  CREATE UNIQUE INDEX accounts_email ON accounts (email);
  CREATE TABLE log (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz NOT NULL DEFAULT clock_timestamp(), account int NOT NULL, what text);
  CREATE TABLE ddl_log (id bigserial PRIMARY KEY, what text);
  CREATE TABLE days (day date PRIMARY KEY) PARTITION BY RANGE (day);
  CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE FUNCTION log_account() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.log (account, what) VALUES (NEW.id, TG_OP); RETURN NEW; END';
  CREATE FUNCTION log_day() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.log (account, what) VALUES (0, NEW.day); RETURN NEW; END';
  CREATE FUNCTION log_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.ddl_log (what) VALUES (tg_tag); END';
  CREATE TRIGGER audit AFTER INSERT OR UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION log_account();
  CREATE TRIGGER audit AFTER INSERT ON days FOR EACH ROW EXECUTE FUNCTION log_day();
  CREATE EVENT TRIGGER log_ddl ON ddl_command_end EXECUTE FUNCTION log_ddl();
  ALTER TABLE accounts ENABLE ALWAYS TRIGGER audit; ALTER TABLE days_1 ENABLE REPLICA TRIGGER audit;
  ALTER EVENT TRIGGER log_ddl ENABLE ALWAYS;`;
const rows = `
  INSERT INTO accounts SELECT i, i || '@example.com' FROM generate_series(1, 200) i;
  SET session_replication_role = replica; INSERT INTO days VALUES ('2026-01-15'); RESET session_replication_role;`;

/** In SQL alone; `jobs` refers to what comes after it in the order of names. */
const extension = {
  'kept.control': "default_version = '1.0'\nschema = kept\nrelocatable = false\n",
  'kept--1.0.sql': `
    CREATE TABLE settings (name text PRIMARY KEY, builtin boolean NOT NULL DEFAULT false);
    INSERT INTO settings VALUES ('retries', true);
    CREATE TABLE jobs (id bigserial PRIMARY KEY, setting text REFERENCES settings, command text, loud text GENERATED ALWAYS AS (upper(command)) STORED);
    CREATE TABLE history (id bigserial PRIMARY KEY, job bigint);
    INSERT INTO history (job) VALUES (0);
    SELECT pg_catalog.pg_extension_config_dump('settings', 'WHERE NOT builtin');
    SELECT pg_catalog.pg_extension_config_dump('jobs', '');
    SELECT pg_catalog.pg_extension_config_dump('jobs_id_seq', '');`,
};
const extended = `${schema} CREATE SCHEMA kept; CREATE EXTENSION kept SCHEMA kept;`;
const extendedRows = `${rows}
  INSERT INTO kept.settings VALUES ('ours'); INSERT INTO kept.jobs (setting, command) VALUES ('ours', 'first'), ('retries', 'second');
  INSERT INTO kept.history (job) VALUES (1), (2);`;

async function begin(): Promise<Move> {
  const move = await place.begin({
    own:
      older === undefined
        ? { dbname: `lost_${Date.now()}`, schema, rows }
        : { dbname: `lost_${Date.now()}`, schema: extended, rows: extendedRows },
    target: way === 'copy' ? 'empty' : 'migrated',
    environment: tools,
    ...(older === undefined ? {} : { source: { start: async (directory, password) => await startFifteen(older, directory, password) } }),
  });
  await extendTarget(move);
  return move;
}

async function startFifteen(installed: string, directory: string, password: string): ReturnType<typeof startCluster> {
  const settings = { wal_level: 'logical', max_wal_senders: 20, max_replication_slots: 20, fsync: 'off' };
  const bin = await extendedPostgres15(`${directory}-programs`, installed, extension);
  const cluster = await startCluster({ name: 'source-15', bin, directory, settings });
  await createApplicationDatabase(cluster, { steadyhand: scramVerifier(password), orders_app: scramVerifier(password) });
  return cluster;
}

/** An 18 finds extensions by a setting. */
async function extendTarget({ sandbox }: Move): Promise<void> {
  const folder = await writeExtensions(join(sandbox.directory, 'extensions'), extension);
  const client = await clientOf(sandbox, sandbox.target, 'postgres');
  await client.query(`ALTER SYSTEM SET extension_control_path = '${folder}:$system'`);
  await client.query('SELECT pg_reload_conf()');
  await client.end();
}

const read = async (client: pg.Client, sql: string): Promise<unknown[]> =>
  (await client.query<{ one: unknown }>({ text: sql })).rows.map((row) => row.one);

const keptRows = 'SELECT jobs::text AS one FROM kept.jobs UNION ALL SELECT settings::text FROM kept.settings ORDER BY 1';

const modes = `SELECT t.tgrelid::regclass || ' ' || t.tgname || ' ' || t.tgenabled::text AS one FROM pg_trigger t WHERE NOT t.tgisinternal
                UNION ALL SELECT evtname || ' ' || evtenabled::text FROM pg_event_trigger WHERE evtname NOT LIKE 'steadyhand%' ORDER BY 1`;

test('what would break the application or write rows twice refuses the run, and the application works on', async () => {
  const move = await begin();
  const source = await move.connect('source');
  await source.query('ALTER TABLE accounts REPLICA IDENTITY USING INDEX accounts_email; DROP INDEX accounts_email');
  const run = await move.request({ schema: way });
  const closed = await move.until(run, (now) => now.state === 'closed');
  expect(closed).toMatchObject({ outcome: 'refused', failure: { code: 'preflight-blocked' } });
  expect(closed.because).toContain('public.accounts (the index of its REPLICA IDENTITY was dropped)');
  expect(closed.because).toMatch(
    /the event trigger log_ddl \(ENABLE ALWAYS\), audit of "public"."accounts" \(ENABLE ALWAYS\), audit of "public"."days_1" \(ENABLE REPLICA\)/,
  );
  if (older !== undefined) expect(closed.because).toContain('nothing carries kept.history (2 rows)');
  expect((await source.query('UPDATE accounts SET balance = 1')).rowCount).toBe(200);
  expect(await read(source, 'SELECT pubname AS one FROM pg_publication')).toEqual([]);
});

test('with what people chose it moves: no row comes twice, extension rows come as they are at the switch, and triggers fire as before', async () => {
  const move = await begin();
  const source = await move.connect('source');
  const before = await read(source, modes);
  const leave = older === undefined ? [] : ['kept.history'];
  const input = { target: `${move.database}-18`, schema: way, triggers: 'hold', leave };
  const body = { runbook: 'migration-cutover', database: move.database, input };
  const { plan } = await move.as('ada').post('/v1/plans', body, previewSchema);
  const planned = plan.steps.find((one) => one.id === 'hold-triggers');
  const text = 'ALTER TABLE "public"."accounts" DISABLE TRIGGER "audit"';
  expect(planned).toMatchObject({ commands: expect.arrayContaining([expect.objectContaining({ text })]) as unknown });
  const run = await move.request(input);
  await move.agree(run, 'approve-prepare');
  await move.until(run, (now) => now.questions.some((one) => one.approval === 'approve-switch'), 100_000);
  await source.query(
    `INSERT INTO accounts SELECT i, 'x' || i FROM generate_series(201, 300) i; UPDATE accounts SET balance = 2 WHERE id < 50; INSERT INTO days VALUES ('2026-01-16')`,
  );
  if (older !== undefined)
    await source.query("INSERT INTO kept.jobs (setting, command) VALUES ('ours', 'third'); DELETE FROM kept.jobs WHERE id = 1");
  const kept = older === undefined ? [] : await read(source, keptRows);
  const log = await read(source, 'SELECT log::text AS one FROM log ORDER BY at, id');
  await move.agree(run, 'approve-switch');
  const closed = await move.until(run, (now) => now.state === 'closed', 100_000);
  expect(closed).toMatchObject({
    outcome: 'succeeded',
    evidence: { compare: { tablesDiffering: 0, sequencesBehind: 0, method: 'snapshot' } },
  });
  const target = await move.connect('target');
  expect(await read(target, 'SELECT log::text AS one FROM log ORDER BY at, id')).toEqual(log);
  expect(await read(target, modes)).toEqual(before);
  await target.query("INSERT INTO accounts VALUES (1000, 'new')");
  expect(await read(target, 'SELECT account AS one FROM log ORDER BY at DESC LIMIT 1')).toEqual([1000]);
  if (older === undefined) return;
  expect(JSON.stringify(plan)).toContain('Not carried: kept.history, table, 2 rows');
  expect(await read(target, keptRows)).toEqual(kept);
  expect(await read(target, "INSERT INTO kept.jobs (setting) VALUES ('ours') RETURNING id AS one")).toEqual(['4']);
  expect(await read(target, 'SELECT count(*)::int AS one FROM kept.history')).toEqual([1]);
});
