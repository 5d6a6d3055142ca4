import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { transactionsOlderThan } from '../../../activities/postgres/preflight/traffic.ts';
import type { Finding } from '../../../activities/postgres/contract.ts';
import { preflight } from '../../../activities/postgres/preflight.ts';
import type { MigrationFacts } from '../../../activities/replication/facts.ts';
import type { Migration } from '../../../activities/replication/contract.ts';
import { digestOf } from '../../../domain/digest.ts';
import { Failure } from '../../../domain/failure.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';
import { connect, inDatabase, loggedStatements, makeBench, startPair, type Bench, type Pair } from '../support.ts';

const bin = '/usr/lib/postgresql/15/bin';
const tools = { pgDump: join(bin, 'pg_dump'), pgRestore: join(bin, 'pg_restore') };

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => await pair.stop());

interface Looked {
  readonly findings: readonly Finding[];
  readonly failure: Failure | undefined;
}

interface Asked {
  readonly way?: Migration['schema'];
  readonly journal?: Journal;
  readonly controlSystem?: string;
  /** Facts of a world that can't be made here. */
  readonly facts?: (facts: MigrationFacts) => MigrationFacts;
}

async function look(
  bench: Bench,
  { way = 'already-there', journal = createJournal(), controlSystem = '1', facts: changed }: Asked = {},
): Promise<Looked> {
  const { migration, facts } = await bench.prepare({ schema: way });
  const stored = new Map<string, Finding[]>();
  const deps = {
    tools,
    findings: async (digest: string, body: unknown) => {
      expect(digestOf(body)).toBe(digest);
      // Findings are what the preflight stores.
      stored.set(digest, body as Finding[]);
      await Promise.resolve();
    },
    journal: () => Promise.resolve([]),
    controlSystemIdentifier: () => Promise.resolve(controlSystem),
  };
  const sides = { servers: bench.servers, migration, facts: changed ? changed(facts) : facts };
  const failure = await preflight(deps, sides, journal.attempt('preflight')).then(
    (summary) => {
      expect(stored.has(summary.findings)).toBe(true);
      return undefined;
    },
    (error: unknown) => {
      if (error instanceof Failure && error.code === 'preflight-blocked') return error;
      throw error;
    },
  );
  return { findings: [...stored.values()].flat(), failure };
}

const schema = `
  CREATE TABLE orders (id bigserial PRIMARY KEY, note text); CREATE TABLE parcels (id int PRIMARY KEY, n int GENERATED ALWAYS AS (1 + 1) STORED);
  CREATE MATERIALIZED VIEW heaps AS SELECT count(*) FROM orders; CREATE TABLE days (day date PRIMARY KEY) PARTITION BY RANGE (day);`;

test('a sound pair passes, with figures, and nothing was written', async () => {
  const bench = await makeBench(pair, { schema, sourceOnly: 'INSERT INTO orders (note) SELECT 1 FROM generate_series(1, 10)' });
  const { findings, failure } = await look(bench);
  expect(failure?.message).toBe(undefined);
  expect(findings.filter((one) => one.level === 'blocks')).toEqual([]);
  expect(findings.map((one) => one.check)).toEqual(
    expect.arrayContaining(['versions', 'WAL on the source', 'disk of the target', 'kinds of tables']),
  );
  for (const side of [pair.source, pair.target]) expect(await loggedStatements(side, 'steadyhand preflight')).toEqual([]);
  await bench.end();
});

test('all that blocks is told at once, each with its fix', async () => {
  const bench = await makeBench(pair, { schema, sourceOnly: 'ALTER TABLE parcels DROP CONSTRAINT parcels_pkey; SELECT lo_create(0)' });
  const { failure, findings } = await look(bench);
  expect(failure).toMatchObject({
    code: 'preflight-blocked',
    facts: { findings: digestOf(findings), blocks: ['replica identity', 'large objects', 'schema'] },
  });
  expect(failure?.message).toContain('public.parcels');
  expect(failure?.message).toContain('REPLICA IDENTITY USING INDEX');
  await bench.end();
});

interface Case {
  readonly check: string;
  readonly level: Finding['level'];
  /** A part of the evidence. */
  readonly says: string;
  readonly both?: string;
  readonly source?: string;
  readonly target?: string;
  readonly asked?: Asked;
}

const cases: readonly Case[] = [
  { check: 'replica identity', level: 'blocks', says: 'public.keyless', both: 'CREATE TABLE keyless (id int)' },
  {
    check: 'replica identity',
    level: 'blocks',
    says: 'public.nothing',
    both: 'CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING',
  },
  {
    check: 'replica identity full',
    level: 'warns',
    says: 'public.slow',
    both: 'CREATE TABLE slow (id int); ALTER TABLE slow REPLICA IDENTITY FULL',
  },
  {
    check: 'replica identity full',
    level: 'blocks',
    says: 'public.odd (place point)',
    both: 'CREATE TABLE odd (id int, place point); ALTER TABLE odd REPLICA IDENTITY FULL',
  },
  { check: 'unlogged tables', level: 'warns', says: 'public.cache', both: 'CREATE UNLOGGED TABLE cache (id int)' },
  {
    check: 'unlogged tables',
    level: 'blocks',
    says: 'public.cache',
    both: 'CREATE UNLOGGED TABLE cache (id int)',
    source: 'INSERT INTO cache VALUES (1)',
  },
  { check: 'large objects', level: 'blocks', says: '2 large objects', source: 'SELECT lo_create(0), lo_create(0)' },
  { check: 'empty target', level: 'blocks', says: 'public.orders', target: `INSERT INTO orders (note) VALUES ('seed')` },
  {
    check: 'row-level security',
    level: 'warns',
    says: 'public.orders',
    both: 'ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY',
  },
  {
    check: 'triggers',
    level: 'informs',
    says: 'public.orders stamp',
    both: `CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp(); ALTER TABLE orders ENABLE ALWAYS TRIGGER stamp`,
  },
  { check: 'kinds of tables', level: 'informs', says: 'public.parcels.n' },
  {
    check: 'prepared transactions',
    level: 'blocks',
    says: `'half done'`,
    source: `BEGIN; INSERT INTO orders (note) VALUES ('x'); PREPARE TRANSACTION 'half done'`,
  },
  { check: 'schema', level: 'blocks', says: 'tables that orders-new lacks: public.more', source: 'CREATE TABLE more (id int PRIMARY KEY)' },
  {
    check: 'schema',
    level: 'blocks',
    says: 'tables that only orders-new has: public.more',
    target: 'CREATE TABLE more (id int PRIMARY KEY)',
  },
  { check: 'schema', level: 'blocks', says: 'differ: public.orders', target: 'ALTER TABLE orders ALTER COLUMN note SET NOT NULL' },
  { check: 'schema', level: 'blocks', says: 'sequences that orders-new lacks: public.free', source: 'CREATE SEQUENCE free' },
  { check: 'schema', level: 'warns', says: 'view "public"."light"', source: 'CREATE VIEW light AS SELECT 1' },
  { check: 'schema', level: 'blocks', says: 'table "public"."orders"', asked: { way: 'copy' } },
  { check: 'tool-missing', level: 'blocks', says: 'needs pg_dump 16 or newer; found 15.', asked: { way: 'copy' } },
  { check: 'roles', level: 'blocks', says: 'only_source', source: 'CREATE ROLE only_source; GRANT SELECT ON orders TO only_source' },
  {
    check: 'settings of roles and database',
    level: 'warns',
    says: 'work_mem=7MB',
    source: `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database()); END $$`,
  },
  {
    check: 'other replication',
    level: 'warns',
    says: 'theirs (inactive)',
    source: `SELECT pg_create_logical_replication_slot('theirs', 'pgoutput')`,
  },
  { check: 'superusers', level: 'warns', says: 'postgres from 127.0.0.1' },
  {
    check: 'superusers',
    level: 'blocks',
    says: 'no superuser',
    asked: { facts: (facts) => ({ ...facts, binding: { ...facts.binding, source: { ...facts.binding.source, superuser: false } } }) },
  },
  { check: 'direct clients', level: 'informs', says: 'the application' },
  { check: 'names', level: 'blocks', says: 'schema "steadyhand"', target: 'CREATE SCHEMA steadyhand' },
  { check: 'wal_level', level: 'blocks', says: 'replica', asked: { facts: setting('source', 'wal_level', 'replica') } },
  {
    check: 'slots and senders',
    level: 'blocks',
    says: 'max_replication_slots on orders is 0',
    asked: { facts: setting('source', 'max_replication_slots', '0') },
  },
  {
    check: 'slots and senders',
    level: 'warns',
    says: 'max_wal_senders on orders is 2',
    asked: { facts: setting('source', 'max_wal_senders', '2') },
  },
  {
    check: 'workers',
    level: 'blocks',
    says: 'max_active_replication_origins on orders-new is 0',
    asked: { facts: setting('target', 'max_active_replication_origins', '0') },
  },
  { check: 'max_connections', level: 'warns', says: '500', asked: { facts: setting('source', 'max_connections', '500') } },
  { check: 'primary', level: 'blocks', says: 'orders-new is a standby', asked: { facts: side('target', { inRecovery: true }) } },
  { check: 'versions', level: 'blocks', says: 'older than the source (19.1)', asked: { facts: side('source', { version: 190_001 }) } },
  { check: 'versions', level: 'blocks', says: '9.', asked: { facts: side('source', { version: 90_624 }) } },
  { check: 'encoding and collation', level: 'blocks', says: 'LATIN1', asked: { facts: side('target', { encoding: 'LATIN1' }) } },
  { check: 'encoding and collation', level: 'warns', says: 'de_DE', asked: { facts: side('target', { collate: 'de_DE' }) } },
  {
    check: 'extensions',
    level: 'blocks',
    says: 'unheard_of 1.0 is not available',
    asked: { facts: side('source', { extensions: [{ name: 'unheard_of', version: '1.0', schema: 'public' }] }) },
  },
  {
    check: 'extensions',
    level: 'blocks',
    says: 'plpgsql is 1.10',
    asked: { facts: side('source', { extensions: [{ name: 'plpgsql', version: '1.10', schema: 'pg_catalog' }] }) },
  },
  {
    check: 'scheduled jobs',
    level: 'informs',
    says: 'pg_cron 1.6',
    asked: { facts: side('source', { extensions: [{ name: 'pg_cron', version: '1.6', schema: 'cron' }] }) },
  },
];

function side(name: 'source' | 'target', change: Partial<MigrationFacts['binding']['source']>): (facts: MigrationFacts) => MigrationFacts {
  return (facts) => ({ ...facts, binding: { ...facts.binding, [name]: { ...facts.binding[name], ...change } } });
}

function setting(name: 'source' | 'target', key: string, value: string): (facts: MigrationFacts) => MigrationFacts {
  return (facts) => side(name, { settings: { ...facts.binding[name].settings, [key]: value } })(facts);
}

test.each(cases)('$check $level: $says', async ({ check, level, says, both = '', source = '', target = '', asked = {} }) => {
  const clean = await makeBench(pair, { schema });
  const unbroken = await look(clean);
  await clean.end();
  const bench = await makeBench(pair, { schema: schema + both, sourceOnly: source });
  await bench.target.query(target);
  const { findings, failure } = await look(bench, asked);
  const found = findings.filter((one) => one.check === check && one.level === level && one.evidence.includes(says));
  expect(found, JSON.stringify(findings, null, 1)).toHaveLength(1);
  if (level === 'blocks') expect(unbroken.findings).not.toContainEqual(found[0]);
  if (level === 'blocks') expect(failure?.message).toContain(found[0]?.fix);
  if (level !== 'informs') expect(found[0]?.fix).not.toBe('');
  await bench.source.query('ROLLBACK').catch(() => undefined);
  if (says.includes('half done')) await bench.source.query(`ROLLBACK PREPARED 'half done'`);
  if (source.includes('theirs')) await bench.source.query(`SELECT pg_drop_replication_slot('theirs')`);
  if (source.includes('CREATE ROLE')) await bench.source.query('DROP OWNED BY only_source; DROP ROLE only_source');
  await bench.end();
});

test('source and target on one cluster, or on that of the control database', async () => {
  const bench = await makeBench(pair, { schema });
  const { facts } = await bench.prepare();
  const system = facts.binding.source.systemIdentifier;
  const controlled = await look(bench, { controlSystem: system });
  expect(controlled.failure?.message).toContain(`orders is on the server that holds Steadyhand's control database`);
  bench.configure('target', (entry) => ({ ...entry, server: { ...entry.server, ...bench.servers.entry('orders').server } }));
  const same = await look(bench);
  expect(same.failure?.message).toContain('on the same cluster');
  await bench.end();
});

test('a server that was exchanged since the plan was made raises identity-changed', async () => {
  const bench = await makeBench(pair, { schema });
  await expect(look(bench, { facts: side('target', { systemIdentifier: '42' }) })).rejects.toMatchObject({ code: 'identity-changed' });
  await expect(look(bench, { facts: side('source', { databaseOid: 1 }) })).rejects.toMatchObject({ code: 'identity-changed' });
  await bench.end();
});

test('the replication login is tried, and its rights are looked at', async () => {
  const bench = await makeBench(pair, { schema });
  await bench.source.query(`CREATE ROLE streamer LOGIN PASSWORD 'right'`);
  const evidence = async (replication: Record<string, unknown>): Promise<string> => {
    bench.configure('source', (entry) => ({ ...entry, replication: { user: 'streamer', ...replication } }));
    const { findings } = await look(bench);
    return findings
      .filter((one) => one.check === 'replication login')
      .map((one) => `${one.level}: ${one.evidence}`)
      .join('\n');
  };
  expect(await evidence({ secret: { env: 'TARGET_PASSWORD' } })).toMatch(
    /warns: .*REPLICATION[^]*blocks: .*may not read[^]*blocks: the login .*refused/,
  );
  await bench.source.query(
    `ALTER ROLE streamer REPLICATION PASSWORD '${pair.target.password}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO streamer`,
  );
  expect(await evidence({ secret: { env: 'TARGET_PASSWORD' } })).toBe('');
  expect(await evidence({ secret: { env: 'TARGET_PASSWORD' }, port: 1 })).toMatch(/warns: .*can't be reached/);
  expect(await evidence({ passfile: '/target/only' })).toMatch(/informs: .*own password file/);
  expect(await evidence({ user: 'who' })).toMatch(/blocks: there is no role "who"/);
  await bench.source.query('DROP OWNED BY streamer; DROP ROLE streamer');
  await bench.end();
});

test('long transactions are named', async () => {
  const bench = await makeBench(pair, { schema });
  const forgotten = await connect(pair.source, bench.dbname, { name: 'forgotten' });
  await forgotten.query('BEGIN; SELECT 1');
  const source = await bench.servers.open('orders', { purpose: 'look' });
  const { migration, facts } = await bench.prepare();
  const view = { servers: bench.servers, migration, facts, source, target: source, tools, tag: 'none', copying: false, controlSystem: '1' };
  expect((await transactionsOlderThan(0).look(view))[0]).toMatchObject({
    level: 'warns',
    evidence: expect.stringMatching(/^orders: .*postgres, forgotten \(\d+ ms\)/) as string,
  });
  expect(await transactionsOlderThan(60_000).look(view)).toEqual([]);
  await Promise.all([source.end(), forgotten.end()]);
  await bench.end();
});

test('an ordinary role is told what it lacks, and what it may not see', async () => {
  const bench = await makeBench(pair, { schema });
  for (const one of [pair.source, pair.target]) await inDatabase(one, bench.dbname, `CREATE ROLE modest LOGIN PASSWORD '${one.password}'`);
  for (const name of ['source', 'target'] as const)
    bench.configure(name, (entry) => ({ ...entry, server: { ...entry.server, user: 'modest' } }));
  const { failure, findings } = await look(bench);
  expect(failure?.facts['blocks']).toEqual(expect.arrayContaining(['rights of Steadyhand', 'sequences']));
  expect(failure?.message).toContain('may not see other sessions');
  expect(findings.find((one) => one.check === 'WAL on the source')).toMatchObject({
    level: 'warns',
    evidence: expect.stringContaining('could not be looked at') as string,
  });
  for (const one of [pair.source, pair.target]) await inDatabase(one, bench.dbname, 'DROP ROLE modest');
  await bench.end();
});
