import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import { compareAfter } from '../../../activities/recovery/compare-after.ts';
import type { Measured } from '../../../activities/recovery/contract.ts';
import { failureOf } from '../../control/support.ts';
import { startPair, type Pair } from '../support.ts';
import { aside, recoveryBench } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
}, 60_000);
afterAll(async () => await pair.stop());

const schema = `CREATE TABLE kept (id int PRIMARY KEY, note text); INSERT INTO kept SELECT i, 'a' FROM generate_series(1, 100) i;
  CREATE TABLE gone (id int PRIMARY KEY); INSERT INTO gone SELECT generate_series(1, 50)`;
const measured: Measured = {
  target: '2026-11-21T10:00:00Z',
  recoveredTo: '2026-11-21T09:59:59.999999Z',
  secondsAvailable: 30,
  secondsHydrated: 40,
  verification: { catalog: 'passed' },
};
const chosen = [
  { schema: 'public', name: 'kept', where: 'id <= 60' },
  { schema: 'public', name: 'gone' },
];

test('every chosen row is accounted for and none was changed; what the application does afterwards plays no part', async () => {
  const bench = await recoveryBench(pair, {
    schema,
    since: `DROP TABLE gone; DELETE FROM kept WHERE id < 11; UPDATE kept SET note = 'b' WHERE id = 20`,
  });
  const { copying, journal } = await aside(bench, ...chosen);
  await failureOf('conflict', compareAfter(copying, measured, journal.attempt('compare')));
  await bringBack(copying, journal.attempt('bring-back'));
  await bench.live.query(`UPDATE kept SET note = 'c' WHERE id = 5; DELETE FROM kept WHERE id = 6; DELETE FROM gone WHERE id = 7`);
  const evidence = await compareAfter(copying, measured, journal.attempt('compare'));
  expect(evidence).toEqual({ ...measured, rowsBack: 60, lostAfterTarget: 0 });
  expect(Object.keys(evidence)).toEqual([
    ...['target', 'recoveredTo', 'rowsBack', 'lostAfterTarget', 'secondsAvailable', 'secondsHydrated', 'verification'],
  ]);
  await bench.end();
});

test('a row that nobody can account for, and one that the transaction changed, is data that differs', async () => {
  const bench = await recoveryBench(pair, { schema, since: `DELETE FROM kept WHERE id < 11` });
  const { copying, journal } = await aside(bench, { schema: 'public', name: 'kept' }, ...chosen.slice(1));
  await bench.live.query(`DELETE FROM "${journal.tag}".kept WHERE id = 3`);
  await bringBack(copying, journal.attempt('bring-back'));
  const lacking = await failureOf('data-differs', compareAfter(copying, measured, journal.attempt('compare')));
  expect(lacking.message).toContain('of 100 rows of "public"."kept" 99 are accounted for');
  await bench.restored.query('DELETE FROM kept WHERE id = 3');
  expect(await compareAfter(copying, measured, journal.attempt('compare'))).toMatchObject({ lostAfterTarget: 0 });
  await bench.live.query(`UPDATE "${journal.tag}_journal".brought_back SET overwritten = 2 WHERE place = 1`);
  const lost = await failureOf('data-differs', compareAfter(copying, measured, journal.attempt('compare')));
  expect(lost.facts['lostAfterTarget']).toBe(2);
  await bench.end();
});

test('rows that a condition chose and nobody can account for are data that differs, too', async () => {
  const bench = await recoveryBench(pair, { schema, since: `DELETE FROM kept WHERE id < 11` });
  const { copying, journal } = await aside(bench, ...chosen);
  await bench.live.query(`DELETE FROM "${journal.tag}".kept WHERE id = 3`);
  await bringBack(copying, journal.attempt('bring-back'));
  const lacking = await failureOf('data-differs', compareAfter(copying, measured, journal.attempt('compare')));
  expect(lacking.message).toContain('of 60 rows of "public"."kept" 59 are accounted for');
  await bench.end();
});
