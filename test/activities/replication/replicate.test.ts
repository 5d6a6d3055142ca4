import { afterAll, beforeAll, expect, test } from 'vitest';
import { catchUp } from '../../../activities/replication/catch-up.ts';
import * as commands from '../../../activities/replication/commands.ts';
import { initialCopy } from '../../../activities/replication/initial-copy.ts';
import { publish, unpublish } from '../../../activities/replication/publish.ts';
import { subscribe } from '../../../activities/replication/subscribe.ts';
import { unsubscribe } from '../../../activities/replication/unsubscribe.ts';
import { forwardAt, loggedStatements, startPair, undecided, unplanned, type Pair } from '../support.ts';
import { count, move, replicating, undo, waitFor, worlds } from './move.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => pair.stop());

test('replicates every row of every table, hostile names too, each step twice, and all is gone after the undo', async () => {
  const one = await move(pair, `we"ird 'db' :x`);
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
  const one = await move(pair);
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
  const one = await move(pair);
  await one.bench.target.query(`INSERT INTO orders (note) VALUES ('somebody else''s')`);
  await undo(one);
  expect(await worlds(one.bench)).toEqual(one.before);
  expect(await count(one.bench, 'orders')).toBe(1);
  expect(one.journal.outcomes.get(`${one.journal.run}/subscribe/1/undo`)).toBe('nothing-to-undo');
  await one.bench.end();
});

test('a crash between slot and subscription is taken up, and undone', async () => {
  const one = await move(pair);
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
  const one = await move(pair);
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
  const one = await move(pair);
  await publish(one.sides, one.journal.attempt('publish'));
  await one.bench.source.query(`ALTER PUBLICATION ${one.journal.tag} DROP TABLE orders`);
  await expect(publish(one.sides, one.journal.attempt('publish'))).rejects.toMatchObject({
    code: 'drift',
    message: expect.stringContaining('"orders"') as string,
  });
  await one.bench.end();
});

test('tables that came or changed since the plan are refused before anything is made', async () => {
  const one = await move(pair);
  await one.bench.source.query('CREATE TABLE late (id int PRIMARY KEY); ALTER TABLE orders ADD COLUMN more int');
  await one.bench.target.query('DROP TABLE days_2');
  const there = await worlds(one.bench);
  await expect(publish(one.sides, one.journal.attempt('publish'))).rejects.toMatchObject({
    code: 'objects-differ',
    facts: {
      problems: [
        '"public"."orders" on orders has another shape',
        'orders has "public"."late", which the plan does not know',
        'orders-new lacks "public"."days_2"',
      ],
    },
  });
  await undo(one);
  expect(await worlds(one.bench)).toEqual(there);
  await one.bench.end();
});

test('does not copy into tables that hold rows', async () => {
  const one = await move(pair);
  await publish(one.sides, one.journal.attempt('publish'));
  await one.bench.target.query(`INSERT INTO orders (note) VALUES ('theirs')`);
  await expect(subscribe(one.sides, one.journal.attempt('subscribe'))).rejects.toMatchObject({ code: 'preflight-blocked' });
  await undo(one);
  expect(await count(one.bench, 'orders')).toBe(1);
  await one.bench.end();
});

test('a row that does not fit stops the copy with a failure, and the undo still cleans', async () => {
  const one = await move(pair);
  const { bench, sides, journal, before } = one;
  await publish(sides, journal.attempt('publish'));
  await bench.target.query(`ALTER TABLE orders ADD CONSTRAINT no_such_note CHECK (note <> 'order 77')`);
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
  const one = await move(pair);
  await replicating(one);
  await expect(unsubscribe(one.sides, forwardAt('0/0'), one.journal.attempt('subscribe', { undo: true }))).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(await count(one.bench, 'orders')).toBe(500);
  await undo(one);
  await one.bench.end();
});

test('says that the login was refused when the target may not log in', async () => {
  const one = await move(pair);
  one.bench.configure('source', (entry) => ({ ...entry, replication: { user: 'nobody_of_that_name' } }));
  await publish(one.sides, one.journal.attempt('publish'));
  await expect(subscribe(one.sides, one.journal.attempt('subscribe'))).rejects.toMatchObject({ code: 'login-refused' });
  await undo(one);
  expect(await worlds(one.bench)).toEqual(one.before);
  await one.bench.end();
});
