import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { createApplicationDatabase, migrateApplication } from '../../../sandbox/application/application.ts';
import { startCluster, type Cluster } from '../../../sandbox/postgres.ts';
import { scramVerifier } from '../../../activities/postgres/scram-verifier.ts';
import { freePorts } from '../../../sandbox/free-ports.ts';
import type { FailureCode } from '../../../domain/failure.ts';
import { worldOf } from '../../e2e/objects.ts';
import { movePlace, type Move, type MoveOptions } from '../../e2e/place.ts';

const place = movePlace();

interface Case {
  readonly what: string;
  readonly begin?: MoveOptions;
  /** Makes it wrong. */
  readonly wrong?: (move: Move) => Promise<void>;
  readonly code: FailureCode;
  /** What is told: what is wrong and where, and what to do. */
  readonly says: readonly (string | RegExp)[];
}

const hostile = `"; DROP TABLE "orders"; -- é :'tag' $1`;
const quoted = `"${hostile.replaceAll('"', '""')}"`;

const cases: readonly Case[] = [
  {
    what: 'a wrong password',
    wrong: async (move) => {
      const file = join(dirname(move.sandbox.inventoryFile), 'wrong-password');
      writeFileSync(file, 'not-the-password');
      await change(move, `${move.database}-18`, { secret: { file } });
    },
    code: 'login-refused',
    says: [/-18 \(.*password authentication failed for user "steadyhand"/],
  },
  {
    what: 'an unreachable target',
    wrong: async (move) => await change(move, `${move.database}-18`, { port: (await freePorts(1))[0] }),
    code: 'unreachable',
    says: [/-18 \(.*cannot be reached: connect ECONNREFUSED/],
  },
  {
    what: 'a target that is not empty',
    wrong: async (move) => await on(move, 'target', "INSERT INTO customers (name, email) VALUES ('seed', 'seed')"),
    code: 'preflight-blocked',
    says: ['empty target: ', 'holds rows already: tables: ', 'Find out first whether it serves already'],
  },
  {
    what: 'wal_level = replica',
    begin: { source: { start: withoutLogical } },
    code: 'preflight-blocked',
    says: ['wal_level: wal_level on orders-', "ALTER SYSTEM SET wal_level = 'logical', then restart"],
  },
  {
    what: 'a table without a replica identity',
    wrong: async (move) => {
      for (const side of ['source', 'target'] as const) await on(move, side, 'CREATE TABLE keyless (id int)');
    },
    code: 'preflight-blocked',
    says: ['replica identity: ', 'public.keyless', 'Give each a primary key'],
  },
  {
    what: 'hostile names',
    begin: {
      own: { dbname: hostile, schema: `CREATE TABLE ${quoted} (${quoted} int); CREATE TABLE orders (id int PRIMARY KEY)`, rows: '' },
    },
    code: 'preflight-blocked',
    says: ['replica identity: ', `public.${hostile}`],
  },
];

test.each(cases)('$what is refused with what to do, and nothing changed', async ({ begin = {}, wrong, code, says }) => {
  const move = await place.begin({ pooler: false, ...begin });
  await wrong?.(move);
  const [source, target] = [await move.connect('source'), await move.connect('target')];
  const before = [await worldOf(source), await worldOf(target)];
  const closed = await move.until(await move.request(), (now) => now.state === 'closed');
  expect(closed).toMatchObject({ outcome: 'refused', left: [], failure: { code } });
  for (const words of says) expect(closed.failure?.message).toMatch(words);
  expect([await worldOf(source), await worldOf(target)]).toEqual(before);
});

test('free disk cannot be asked by SQL: people are warned with the sizes before they agree', async () => {
  const move = await place.begin({ pooler: false });
  const source = await move.connect('source');
  await source.query('ANALYZE');
  const run = await move.request();
  const { evidence } = await move.until(run, (now) => now.questions.length > 0);
  const { preflight } = z.object({ preflight: z.object({ findings: z.string() }) }).parse(evidence);
  const findings = await move.as('ada').get(`/v1/findings/${preflight.findings}`, findingsSchema);
  const told = (check: string): unknown => findings.find((one) => one.check === check);
  expect(told('disk of the target')).toMatchObject({
    level: 'warns',
    evidence: expect.stringMatching(/^the tables are \d+\.\d MB on orders-/),
  });
  expect(told('WAL on the source')).toMatchObject({ level: 'warns', evidence: expect.stringMatching(/\d+ MB of WAL now/) });
});

const findingsSchema = z.array(z.looseObject({ check: z.string(), level: z.string(), evidence: z.string() }));

test('of two runs into one target the second is refused, when it asks or when people have agreed to both; its target is as it was', async () => {
  const one = await place.begin({ pooler: false });
  const other = await place.begin({ pooler: false, workers: 0 });
  const target = `${one.database}-18`;
  const [first, second] = [await one.request(), await other.request({ target })];
  await other.until(second, (now) => now.questions.some((question) => question.approval === 'approve-prepare'));
  await one.agree(first, 'approve-prepare');
  await one.until(first, (now) => now.questions.some((question) => question.approval === 'approve-switch'));
  const source = await other.connect('source');
  const before = await worldOf(source);
  const held = { outcome: 'refused', left: [], failure: { code: 'lease-held', message: `the lease of ${target} is held by ${first}` } };

  await other.agree(second, 'approve-prepare');
  expect(await other.until(second, (now) => now.state === 'closed')).toMatchObject(held);
  const third = await other.request({ target });
  const late = await other.until(third, (now) => now.state === 'closed');
  expect(late).toMatchObject(held);
  // At admission, before anything was looked at or asked.
  expect(late.decisions).toEqual([]);
  expect(await worldOf(source)).toEqual(before);

  await one.agree(first, 'approve-switch');
  const closed = await one.until(first, (now) => now.state === 'closed');
  expect(closed).toMatchObject({ outcome: 'succeeded', evidence: { compare: { tablesDiffering: 0 } } });
  const free = await other.as('ada').get(`/v1/leases/${target}`, z.looseObject({ state: z.string() }));
  expect(free.state).toBe('free');
});

/** The server of an entry, for the API and the workers alike. */
async function change(move: Move, database: string, server: Readonly<Record<string, unknown>>): Promise<void> {
  const file = move.sandbox.inventoryFile;
  const inventory = z.looseObject({ databases: z.record(z.string(), z.looseObject({ server: z.looseObject({}) })) });
  const now = inventory.parse(parse(readFileSync(file, 'utf8')));
  const entry = now.databases[database];
  if (!entry) throw new Error(`${database} is not in the inventory`);
  now.databases[database] = { ...entry, server: { ...entry.server, ...server } };
  writeFileSync(file, stringify(now, { aliasDuplicateObjects: false }));
  await Promise.resolve();
}

async function on(move: Move, side: 'source' | 'target', sql: string): Promise<void> {
  const client = await move.connect(side);
  await client.query(sql);
}

/** With the application's database, but as a server comes out of the box. */
async function withoutLogical(directory: string, password: string): Promise<Cluster> {
  const cluster = await startCluster({ name: 'source-replica', major: 16, directory, settings: { wal_level: 'replica', fsync: 'off' } });
  await createApplicationDatabase(cluster, { steadyhand: scramVerifier(password), orders_app: scramVerifier(password) });
  await migrateApplication(cluster);
  return cluster;
}
