import { afterAll, beforeAll, expect, test } from 'vitest';
import { unpublish } from '../../../activities/replication/publish.ts';
import { unsubscribe } from '../../../activities/replication/unsubscribe.ts';
import { inDatabase, startPair, undecided, world, type Pair } from '../support.ts';
import { count, move, replicating, undo, worlds } from './move.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
}, 60_000);
afterAll(async () => pair.stop());

test('with the target dead its slot on the source goes all the same, and the rest when it is back', async () => {
  const one = await move(pair);
  const { bench, sides, journal, before } = one;
  await replicating(one);
  await pair.target.stop();
  await expect(unsubscribe(sides, undecided, journal.attempt('subscribe', { undo: true }))).rejects.toMatchObject({ code: 'unreachable' });
  // It has nothing on the target.
  await unpublish(sides, journal.attempt('publish', { undo: true }));
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
  const one = await move(pair);
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
