import { afterAll, beforeAll, expect, test } from 'vitest';
import { hydrate } from '../../../activities/recovery/hydrate.ts';
import { hydrate as planned } from '../../../activities/recovery/hydrate-commands.ts';
import { createJournal } from '../../support/attempt.ts';
import { inDatabase, loggedStatements, startPair, unplanned, type Pair } from '../support.ts';
import { recoveryBench, values } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
  await inDatabase(pair.source, 'postgres', `CREATE ROLE plain LOGIN PASSWORD 'secret'`);
}, 60_000);
afterAll(async () => await pair.stop());

const schema = `CREATE TABLE "Sch""ema" (id int PRIMARY KEY, note text); ALTER TABLE "Sch""ema" ALTER note SET STORAGE EXTERNAL;
  INSERT INTO "Sch""ema" SELECT i, repeat('x', 5000) FROM generate_series(1, 20000) i; CREATE SEQUENCE numbers;
  CREATE MATERIALIZED VIEW seen AS SELECT id FROM "Sch""ema"; CREATE TEMP TABLE mine AS SELECT 1; GRANT SELECT ON "Sch""ema" TO PUBLIC; CHECKPOINT`;

const everyByte = `SELECT sum(pg_relation_size(oid, f))::float8 FROM pg_class, unnest(ARRAY['main', 'fsm', 'vm', 'init']) f
  WHERE relkind IN ('r', 'i', 't', 'm', 'S') AND relpersistence <> 't'`;

test('reads every page of tables, TOAST, indexes, views and sequences; leaves nothing', async () => {
  const bench = await recoveryBench(pair, { schema });
  const before = await values(bench.restored, 'SELECT nspname::text FROM pg_namespace UNION ALL SELECT extname FROM pg_extension');
  const [bytes] = await values(bench.restored, everyByte);
  const attempt = createJournal().attempt('hydrate');
  const seen = await hydrate(bench, attempt);
  expect(seen).toMatchObject({ bytes, method: 'pg_prewarm', notRead: 0, notReadSome: [] });
  expect(seen.bytes).toBeGreaterThan(100_000_000);
  expect(attempt.shown.at(-1)).toMatchObject({ fraction: 1 });
  expect(await values(bench.restored, 'SELECT nspname::text FROM pg_namespace UNION ALL SELECT extname FROM pg_extension')).toEqual(before);
  const logged = await loggedStatements(pair.source, 'steadyhand hydrate');
  const blocks = logged.flatMap((one) => /pg_prewarm\((\d+)::regclass, 'read', '(\w+)', (\d+), (\d+)\)/.exec(one)?.slice(3, 5) ?? []);
  const read = blocks.reduce((sum, one, index) => sum + (index % 2 === 0 ? -Number(one) : Number(one) + 1), 0);
  expect(read * 8_192).toBe(bytes);
  const own = /^SELECT (n\.nspname|c\.oid::int8)/;
  expect(unplanned(logged, planned()).filter((one) => !own.test(one.trim()))).toEqual([]);
  await bench.end();
}, 60_000);

test('after a kill it goes on where all before was read, and removes what the first one made', async () => {
  const bench = await recoveryBench(pair, { schema });
  const journal = createJournal();
  const stopped = new AbortController();
  const first = journal.attempt('hydrate', { signal: stopped.signal });
  const dying = {
    ...first,
    save: (checkpoint: unknown): void => {
      first.save(checkpoint);
      // What `hydrate` saves: how many pieces are behind it.
      if ((checkpoint as { pieces: number }).pieces >= 50) stopped.abort(new Error('killed'));
    },
  };
  await expect(hydrate(bench, dying)).rejects.toThrow('killed');
  expect(await values(bench.restored, `SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'steadyhand%'`)).toEqual([journal.tag]);
  const second = journal.attempt('hydrate');
  let more = 0;
  const seen = await hydrate(bench, { ...second, save: () => void (more += 1) });
  expect(seen.bytes).toEqual((await values(bench.restored, everyByte))[0]);
  expect(more).toBeGreaterThan(10);
  const pieces = Number(
    (
      await values(
        bench.restored,
        `SELECT count(*) FROM pg_class, unnest(ARRAY['main', 'fsm', 'vm', 'init']) f WHERE relkind IN ('r', 'i', 't', 'm', 'S') AND pg_relation_size(oid, f) > 0`,
      )
    )[0],
  );
  expect(more).toBeLessThanOrEqual(pieces - 50);
  expect(await values(bench.restored, `SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'steadyhand%'`)).toEqual([]);
  await bench.end();
}, 60_000);

test('without the extension tables are scanned, and what no scan reads is told', async () => {
  const bench = await recoveryBench(pair, { schema });
  const plain = {
    ...bench,
    recovery: { ...bench.recovery, restored: { ...bench.recovery.restored, user: 'plain', secret: { env: 'PLAIN' } } },
  };
  const seen = await hydrate(plain, createJournal().attempt('hydrate'));
  expect(seen.method).toBe('scans');
  expect(seen.notRead).toBeGreaterThan(100);
  expect(seen.notReadSome).toHaveLength(20);
  const logged = await loggedStatements(pair.source, 'steadyhand hydrate');
  expect(logged.filter((one) => one.includes('count(*) FROM ONLY "public"."Sch""ema"'))).toHaveLength(1);
  await bench.end();
}, 60_000);
