import { afterAll, beforeAll, expect, test } from 'vitest';
import { catchUp } from '../../../activities/replication/catch-up.ts';
import { initialCopy } from '../../../activities/replication/initial-copy.ts';
import { publish, unpublish } from '../../../activities/replication/publish.ts';
import type { Sides } from '../../../activities/replication/side.ts';
import { subscribe } from '../../../activities/replication/subscribe.ts';
import { unsubscribe } from '../../../activities/replication/unsubscribe.ts';
import { Failure } from '../../../domain/failure.ts';
import { until } from '../../../sandbox/until.ts';
import { createJournal, type Journal, type JournalAttempt } from '../../support/attempt.ts';
import {
  forwardAt,
  inDatabase,
  loggedStatements,
  makeBench,
  startPair,
  undecided,
  unplanned,
  world,
  type Bench,
  type Pair,
} from '../support.ts';
import * as commands from '../../../activities/replication/commands.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => await pair.stop());

/** Names that break what does not quote: quotes, a colon as in psql's variables, blanks, capitals, other scripts. */
const hostile = `
  CREATE SCHEMA "Sch""ema'";
  CREATE TABLE "Sch""ema'"."we;ird :'tag' ta""ble" ("Id "" :x" int PRIMARY KEY, "größe ☃" text);
  CREATE TABLE orders (id bigserial PRIMARY KEY, parent bigint REFERENCES orders, note text);
  CREATE TABLE days (day date, n int, PRIMARY KEY (day, n)) PARTITION BY RANGE (day);
  CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');`;
const rows = `
  INSERT INTO "Sch""ema'"."we;ird :'tag' ta""ble" SELECT i, 'ü' FROM generate_series(1, 50) i;
  INSERT INTO orders (parent, note) SELECT NULL, 'order ' || i FROM generate_series(1, 500) i;
  INSERT INTO days SELECT '2026-01-15'::date + i, i FROM generate_series(0, 30) i;`;

interface Move {
  readonly bench: Bench;
  readonly sides: Sides;
  readonly journal: Journal;
  readonly before: readonly unknown[];
}

async function move(dbname?: string): Promise<Move> {
  const bench = await makeBench(pair, { schema: hostile, sourceOnly: rows, ...(dbname === undefined ? {} : { dbname }) });
  const { migration, facts } = await bench.prepare();
  return { bench, sides: { servers: bench.servers, migration, facts }, journal: createJournal(), before: await worlds(bench) };
}

const worlds = async (bench: Bench): Promise<unknown[]> => [await world(bench.source), await world(bench.target)];

/** Looks again and again as the engine does, until the step is done or fails for good. */
async function waitFor<Result>(step: (attempt: JournalAttempt) => Promise<Result>, next: () => JournalAttempt): Promise<Result> {
  return await until(
    'the step is done',
    async () => {
      try {
        return await step(next());
      } catch (error) {
        if (error instanceof Failure && error.code === 'not-yet') return undefined;
        throw error;
      }
    },
    { withinMs: 30_000, everyMs: 100 },
  );
}

async function replicating(one: Move): Promise<void> {
  await publish(one.sides, one.journal.attempt('publish'));
  await subscribe(one.sides, one.journal.attempt('subscribe'));
  await waitFor(
    (attempt) => initialCopy(one.sides, attempt),
    () => one.journal.attempt('initial-copy'),
  );
}

const undo = async ({ sides, journal }: Move): Promise<void> => {
  await unsubscribe(sides, undecided, journal.attempt('subscribe', { undo: true }));
  await unpublish(sides, journal.attempt('publish', { undo: true }));
};

const count = async (bench: Bench, table: string): Promise<number> =>
  Number((await bench.target.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n);

test('replicates every row of every table, hostile names too, each step twice, and all is gone after the undo', async () => {
  const one = await move(`we"ird 'db' :x`);
  const { bench, sides, journal, before } = one;
  await publish(sides, journal.attempt('publish'));
  await publish(sides, journal.attempt('publish'));
  await subscribe(sides, journal.attempt('subscribe'));
  await subscribe(sides, journal.attempt('subscribe'));
  expect([journal.outcomes.get(`${journal.run}/publish/1`), journal.outcomes.get(`${journal.run}/subscribe/1`)]).toEqual([
    'adopted',
    'adopted',
  ]);
  const copied = await waitFor(
    (attempt) => initialCopy(sides, attempt),
    () => journal.attempt('initial-copy'),
  );
  expect(copied).toMatchObject({ tables: 4 });
  expect(copied.bytes).toBeGreaterThan(8_192);
  const caught = await waitFor(
    (attempt) => catchUp(sides, attempt),
    () => journal.attempt('catch-up'),
  );
  expect(caught.markerMs).toBeLessThan(5_000);
  expect([await count(bench, 'orders'), await count(bench, `"Sch""ema'"."we;ird :'tag' ta""ble"`), await count(bench, 'days')]).toEqual([
    500, 50, 31,
  ]);
  const again = await bench.prepare({ tag: journal.tag });
  expect(again.facts.binding).toEqual(sides.facts.binding);
  await undo(one);
  expect(await worlds(bench)).toEqual(before);
  expect([await count(bench, 'orders'), await count(bench, 'days')]).toEqual([0, 0]);
  await undo(one);
  expect(await worlds(bench)).toEqual(before);
  await bench.end();
});

test('executes what the plan says and nothing else, and no password stands in a log', async () => {
  const one = await move();
  const { bench, sides, journal } = one;
  await replicating(one);
  await waitFor(
    (attempt) => catchUp(sides, attempt),
    () => journal.attempt('catch-up'),
  );
  await undo(one);
  const { migration, facts } = sides;
  const planned = {
    publish: [...commands.publish(migration, facts), ...commands.unpublish(migration, facts)],
    subscribe: [...commands.subscribe(migration, facts), ...commands.unsubscribe(migration, facts)],
    'catch-up': commands.catchUp(migration, facts),
  };
  let statements = 0;
  for (const [step, list] of Object.entries(planned)) {
    for (const side of ['source', 'target'] as const) {
      const logged = await loggedStatements(pair[side], `steadyhand ${step}`);
      statements += logged.length;
      expect(
        unplanned(
          logged,
          list.filter((command) => command.on === side),
        ),
      ).toEqual([]);
    }
  }
  expect(statements).toBeGreaterThan(10);
  for (const side of [pair.source, pair.target]) expect(await side.log()).not.toContain(pair.source.password);
  await bench.end();
});

test('undoes what never happened by doing nothing', async () => {
  const one = await move();
  await one.bench.target.query(`INSERT INTO orders (note) VALUES ('somebody else''s')`);
  await undo(one);
  expect(await worlds(one.bench)).toEqual(one.before);
  expect(await count(one.bench, 'orders')).toBe(1);
  expect(one.journal.outcomes.get(`${one.journal.run}/subscribe/1/undo`)).toBe('nothing-to-undo');
  await one.bench.end();
});

test('a crash between slot and subscription is taken up, and undone', async () => {
  const one = await move();
  const { bench, sides, journal, before } = one;
  await publish(sides, journal.attempt('publish'));
  const attempt = journal.attempt('subscribe');
  await attempt.intend({ emptied: sides.facts.binding.source.tables.map(({ schema, name }) => ({ schema, name })) });
  await bench.source.query(`SELECT pg_create_logical_replication_slot('${journal.tag}', 'pgoutput')`);
  await undo({ ...one });
  expect(await worlds(bench)).toEqual(before);
  await publish(sides, journal.attempt('publish', { generation: 2 }));
  await bench.source.query(`SELECT pg_create_logical_replication_slot('${journal.tag}', 'pgoutput')`);
  await subscribe(sides, journal.attempt('subscribe', { generation: 2 }));
  await waitFor(
    (next) => initialCopy(sides, next),
    () => journal.attempt('initial-copy'),
  );
  expect(await count(bench, 'orders')).toBe(500);
  await unsubscribe(sides, undecided, journal.attempt('subscribe', { undo: true, generation: 2 }));
  await unpublish(sides, journal.attempt('publish', { undo: true, generation: 2 }));
  expect(await worlds(bench)).toEqual(before);
  await bench.end();
});

test('refuses names that are taken by others, and leaves them', async () => {
  const one = await move();
  const { bench, sides, journal } = one;
  await bench.source.query(`SELECT pg_create_logical_replication_slot('${journal.tag}', 'test_decoding')`).catch(async () => {
    await bench.source.query(`SELECT pg_create_physical_replication_slot('${journal.tag}')`);
  });
  await publish(sides, journal.attempt('publish'));
  await expect(subscribe(sides, journal.attempt('subscribe'))).rejects.toMatchObject({ code: 'foreign-object' });
  await undo(one);
  await bench.source.query(`SELECT pg_drop_replication_slot('${journal.tag}')`);
  await bench.target.query(`CREATE SUBSCRIPTION ${journal.tag} CONNECTION 'host=nowhere' PUBLICATION theirs WITH (connect = false)`);
  await expect(subscribe(sides, journal.attempt('subscribe', { generation: 2 }))).rejects.toMatchObject({ code: 'foreign-object' });
  await bench.target.query(`ALTER SUBSCRIPTION ${journal.tag} SET (slot_name = NONE)`);
  await bench.target.query(`DROP SUBSCRIPTION ${journal.tag}`);
  await bench.end();
});

test('a publication that was changed is drift', async () => {
  const one = await move();
  await publish(one.sides, one.journal.attempt('publish'));
  await one.bench.source.query(`ALTER PUBLICATION ${one.journal.tag} DROP TABLE orders`);
  await expect(publish(one.sides, one.journal.attempt('publish'))).rejects.toMatchObject({
    code: 'drift',
    message: expect.stringContaining('"orders"') as string,
  });
  await one.bench.end();
});

test('does not copy into tables that hold rows', async () => {
  const one = await move();
  await publish(one.sides, one.journal.attempt('publish'));
  await one.bench.target.query(`INSERT INTO orders (note) VALUES ('theirs')`);
  await expect(subscribe(one.sides, one.journal.attempt('subscribe'))).rejects.toMatchObject({ code: 'preflight-blocked' });
  await undo(one);
  expect(await count(one.bench, 'orders')).toBe(1);
  await one.bench.end();
});

test('a row that does not fit stops the copy with a failure, and the undo still cleans', async () => {
  const one = await move();
  const { bench, sides, journal, before } = one;
  await bench.target.query(`ALTER TABLE orders ADD CONSTRAINT no_such_note CHECK (note <> 'order 77')`);
  await publish(sides, journal.attempt('publish'));
  await subscribe(sides, journal.attempt('subscribe'));
  await expect(
    waitFor(
      (attempt) => initialCopy(sides, attempt),
      () => journal.attempt('initial-copy'),
    ),
  ).rejects.toMatchObject({
    code: 'replication-failed',
    message: expect.stringContaining('public.orders') as string,
  });
  await bench.target.query('ALTER TABLE orders DROP CONSTRAINT no_such_note');
  await undo(one);
  expect(await worlds(bench)).toEqual(before);
  await bench.end();
});

test('after the point of no return nothing is emptied', async () => {
  const one = await move();
  await replicating(one);
  await expect(unsubscribe(one.sides, forwardAt('0/0'), one.journal.attempt('subscribe', { undo: true }))).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(await count(one.bench, 'orders')).toBe(500);
  await undo(one);
  await one.bench.end();
});

test('with the target dead its slot on the source goes all the same, and the rest when it is back', async () => {
  const one = await move();
  const { bench, sides, journal, before } = one;
  await replicating(one);
  await pair.target.stop();
  await expect(unsubscribe(sides, undecided, journal.attempt('subscribe', { undo: true }))).rejects.toMatchObject({ code: 'unreachable' });
  await expect(unpublish(sides, journal.attempt('publish', { undo: true }))).rejects.toMatchObject({ code: 'unreachable' });
  expect(await world(bench.source)).toEqual(before[0]);
  await pair.target.restart();
  await inDatabase(pair.target, bench.dbname, 'SELECT 1');
  await bench.reconnect();
  await undo(one);
  expect(await worlds(bench)).toEqual(before);
  expect(await count(bench, 'orders')).toBe(0);
  await bench.end();
});

test('with the source dead the target is cleaned all the same, and the rest when it is back', async () => {
  const one = await move();
  const { bench, sides, journal, before } = one;
  await replicating(one);
  await pair.source.stop();
  await expect(unsubscribe(sides, undecided, journal.attempt('subscribe', { undo: true }))).rejects.toMatchObject({ code: 'unreachable' });
  expect(await count(bench, 'orders')).toBe(0);
  await pair.source.restart();
  await bench.reconnect();
  await undo(one);
  expect(await worlds(bench)).toEqual(before);
  await bench.end();
});

test('says that the login was refused when the target may not log in', async () => {
  const one = await move();
  one.bench.configure('source', (entry) => ({ ...entry, replication: { user: 'nobody_of_that_name' } }));
  await publish(one.sides, one.journal.attempt('publish'));
  await expect(subscribe(one.sides, one.journal.attempt('subscribe'))).rejects.toMatchObject({ code: 'login-refused' });
  await undo(one);
  expect(await worlds(one.bench)).toEqual(one.before);
  await one.bench.end();
});
