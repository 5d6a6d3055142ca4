import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import { restoredTables, writeAlike } from '../../../activities/recovery/inspect-restored.ts';
import { onLive, onRestored } from '../../../activities/recovery/places.ts';
import { startPair, type Pair } from '../support.ts';
import { aside, recoveryBench, values, type RecoveryBench } from './bench.ts';

/** Partitioned tables and old-style inheritance. */
const pairs = new Map<number, Pair>();
const of = (major: number): Pair => {
  const pair = pairs.get(major);
  if (!pair) throw new Error(`no servers of ${major}`);
  return pair;
};
beforeAll(async () => {
  for (const major of [16, 18] as const) pairs.set(major, await startPair({ major }, { major }));
}, 120_000);
afterAll(async () => {
  for (const pair of pairs.values()) await pair.stop();
});

const named = (...names: string[]) => names.map((name) => ({ schema: 'public', name }));

/** All that the catalogs say of these tables, on both sides. */
async function definitions(bench: RecoveryBench, version: number, ...names: string[]): Promise<unknown[]> {
  const look = async (session: Parameters<Parameters<typeof onLive>[1]>[0]): Promise<unknown> => {
    await writeAlike(session);
    const seen = await restoredTables(session, version * 10_000, named(...names));
    return seen.map(({ refersTo, ...one }) => ({ ...one, oid: 0, refersTo: refersTo.length }));
  };
  return [await onRestored(bench, look), await onLive(bench, look)];
}

const events = `CREATE TABLE order_events (id bigserial, number int GENERATED ALWAYS AS IDENTITY, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE events_1 PARTITION OF order_events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE events_2 PARTITION OF order_events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
  INSERT INTO order_events (day) SELECT '2026-01-22'::date + i FROM generate_series(1, 20) i`;

test.each([
  [16, 'order_events', 20],
  [16, 'events_2', 11],
  [18, 'order_events', 20],
  [18, 'events_2', 11],
])('on %i the sequences of a partitioned table go forward when %s comes back', async (major, chosen, rowsBack) => {
  const bench = await recoveryBench(of(major), { schema: events, since: 'TRUNCATE order_events RESTART IDENTITY' });
  const { copying, journal } = await aside(bench, ...named(chosen));
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ rowsBack });
  expect(await values(bench.live, `INSERT INTO order_events (day) VALUES ('2026-01-01') RETURNING id || ' ' || number`)).toEqual(['21 21']);
  await bench.end();
});

test('sequences go forward with a partition that is missing, and past a first number that was taken', async () => {
  const schema = `${events}; CREATE TABLE single (id serial PRIMARY KEY); INSERT INTO single DEFAULT VALUES`;
  const since = 'TRUNCATE order_events, single RESTART IDENTITY; DROP TABLE events_1, events_2';
  const bench = await recoveryBench(of(16), { schema, since });
  const { copying, journal } = await aside(bench, ...named('events_1', 'events_2', 'single'));
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ tablesBack: 2, rowsBack: 21 });
  expect(await values(bench.live, `INSERT INTO order_events (day) VALUES ('2026-01-01') RETURNING id || ' ' || number`)).toEqual(['21 21']);
  expect(await values(bench.live, 'INSERT INTO single DEFAULT VALUES RETURNING id')).toEqual([2]);
  await bench.end();
});

test('partitions that are missing come back with the checks of their root', async () => {
  const schema = `${events}; ALTER TABLE order_events ADD CONSTRAINT "not ""early" CHECK (day > '2026-01-01'), ADD CHECK (id > 0)`;
  for (const since of ['DROP TABLE order_events', 'DROP TABLE events_1']) {
    const bench = await recoveryBench(of(16), { schema, since });
    const { copying, journal } = await aside(bench, ...named('order_events'));
    await bringBack(copying, journal.attempt('bring-back'));
    expect(await values(bench.live, 'SELECT count(*)::int FROM order_events')).toEqual([20]);
    const [then, now] = await definitions(bench, 16, 'order_events');
    expect(now).toEqual(then);
    await bench.end();
  }
});
