import { afterAll, beforeAll, expect, test } from 'vitest';
import { freezeDdl } from '../../../activities/replication/freeze-ddl.ts';
import { initialCopy } from '../../../activities/replication/initial-copy.ts';
import { publish } from '../../../activities/replication/publish.ts';
import { retire } from '../../../activities/replication/retire.ts';
import type { Sides } from '../../../activities/replication/side.ts';
import { subscribe } from '../../../activities/replication/subscribe.ts';
import { until } from '../../../sandbox/until.ts';
import * as commands from '../../../activities/replication/commands.ts';
import { createJournal, type Journal } from '../../support/attempt.ts';
import { forwardAt, loggedStatements, makeBench, startPair, undecided, unplanned, world, type Bench, type Pair } from '../support.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => await pair.stop());

interface Switched {
  readonly bench: Bench;
  readonly sides: Sides;
  readonly journal: Journal;
  readonly before: readonly unknown[];
  /** Where the marker ends, as the switch takes it. */
  readonly lsn: string;
}

/** A migration whose switch has just followed its marker. */
async function switched(): Promise<Switched> {
  const bench = await makeBench(pair, {
    schema: 'CREATE TABLE orders (id int PRIMARY KEY)',
    sourceOnly: 'INSERT INTO orders SELECT generate_series(1, 20)',
  });
  const before = [await world(bench.source), await world(bench.target)];
  const { migration, facts } = await bench.prepare();
  const sides = { servers: bench.servers, migration, facts };
  const journal = createJournal();
  await freezeDdl(sides, journal.attempt('freeze-ddl'));
  await publish(sides, journal.attempt('publish'));
  await subscribe(sides, journal.attempt('subscribe'));
  await until('copied', async () => await initialCopy(sides, journal.attempt('initial-copy')).catch(() => undefined), {
    withinMs: 30_000,
    everyMs: 100,
  });
  const { rows } = await bench.source.query<{ lsn: string }>(
    `SELECT pg_logical_emit_message(true, 'steadyhand', 'the switch')::text AS lsn`,
  );
  const lsn = rows[0]?.lsn ?? '';
  const arrived = `SELECT FROM pg_stat_subscription WHERE subname = $1 AND latest_end_lsn >= $2`;
  await until('the marker', async () => (await bench.target.query(arrived, [journal.tag, lsn])).rowCount || undefined, {
    withinMs: 10_000,
  });
  return { bench, sides, journal, before, lsn };
}

test('proves that no write came late and leaves nothing behind, twice, by planned commands', async () => {
  const { bench, sides, journal, before, lsn } = await switched();
  expect(await retire(sides, forwardAt(lsn), journal.attempt('retire'))).toEqual({ lateWrites: 0 });
  expect([await world(bench.source), await world(bench.target)]).toEqual(before);
  expect(await retire(sides, forwardAt(lsn), journal.attempt('retire'))).toEqual({ lateWrites: 0 });
  const planned = commands.retire(sides.migration, sides.facts);
  for (const side of ['source', 'target'] as const) {
    const logged = await loggedStatements(pair[side], 'steadyhand retire');
    expect(logged.length).toBeGreaterThan(3);
    expect(
      unplanned(
        logged,
        planned.filter((command) => command.on === side),
      ),
    ).toEqual([]);
  }
  expect((await bench.target.query('SELECT FROM orders')).rowCount).toBe(20);
  await bench.end();
});

test('a late write that was replicated is found', async () => {
  const { bench, sides, journal, lsn } = await switched();
  await bench.source.query('INSERT INTO orders VALUES (100)');
  await until('it arrives', async () => (await bench.target.query('SELECT FROM orders WHERE id = 100')).rowCount || undefined, {
    withinMs: 10_000,
  });
  await expect(retire(sides, forwardAt(lsn), journal.attempt('retire'))).rejects.toMatchObject({ code: 'data-differs' });
  await bench.end();
});

test('a late write that was not sent is found, and the slot is kept', async () => {
  const { bench, sides, journal, lsn } = await switched();
  await bench.target.query(`ALTER SUBSCRIPTION ${journal.tag} DISABLE`);
  await until(
    'nobody streams',
    async () =>
      (await bench.source.query('SELECT FROM pg_replication_slots WHERE slot_name = $1 AND NOT active', [journal.tag])).rowCount ||
      undefined,
    { withinMs: 10_000 },
  );
  await bench.source.query('INSERT INTO orders VALUES (100), (101)');
  const refused = retire(sides, forwardAt(lsn), journal.attempt('retire'));
  await expect(refused).rejects.toMatchObject({ code: 'data-differs', message: expect.stringContaining('2 rows') as string });
  expect((await bench.source.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [journal.tag])).rowCount).toBe(1);
  await bench.end();
});

test('without a switch it refuses', async () => {
  const { bench, sides, journal } = await switched();
  await expect(retire(sides, undecided, journal.attempt('retire'))).rejects.toMatchObject({ code: 'conflict' });
  await bench.end();
});

test('a slot that somebody dropped is uncertain, not proven', async () => {
  const { bench, sides, journal, lsn } = await switched();
  await bench.target.query(`ALTER SUBSCRIPTION ${journal.tag} DISABLE`);
  await until(
    'the slot is dropped',
    async () => await bench.source.query('SELECT pg_drop_replication_slot($1)', [journal.tag]).catch(() => undefined),
    { withinMs: 10_000 },
  );
  await expect(retire(sides, forwardAt(lsn), journal.attempt('retire'))).rejects.toMatchObject({ code: 'uncertain' });
  await expect(retire(sides, forwardAt(lsn), journal.attempt('retire'))).rejects.toMatchObject({ code: 'uncertain' });
  await bench.end();
});

test('with the source dead it is uncertain and the target is clean; when it is back the proof is made', async () => {
  const { bench, sides, journal, lsn, before } = await switched();
  await pair.source.stop();
  await expect(retire(sides, forwardAt(lsn), journal.attempt('retire'))).rejects.toMatchObject({ code: 'uncertain' });
  expect((await bench.target.query('SELECT FROM pg_subscription WHERE subname = $1', [journal.tag])).rowCount).toBe(0);
  await pair.source.restart();
  await bench.reconnect();
  expect(await retire(sides, forwardAt(lsn), journal.attempt('retire'))).toEqual({ lateWrites: 0 });
  expect([await world(bench.source), await world(bench.target)]).toEqual(before);
  await bench.end();
});
