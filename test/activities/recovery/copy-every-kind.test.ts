import { afterAll, beforeAll, expect, test } from 'vitest';
import { bringBack } from '../../../activities/recovery/bring-back.ts';
import type { ChosenTable } from '../../../activities/recovery/contract.ts';
import { removeAside } from '../../../activities/recovery/copy-aside.ts';
import { restoredTables, writeAlike } from '../../../activities/recovery/inspect-restored.ts';
import { onLive, onRestored } from '../../../activities/recovery/places.ts';
import { takeOut } from '../../../activities/recovery/take-out.ts';
import { makeEveryKind } from '../../../sandbox/every-kind.ts';
import { failureOf } from '../../control/support.ts';
import { startPair, world, type Pair } from '../support.ts';
import { aside, recoveryBench, values, type RecoveryBench } from './bench.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair({ major: 16 }, { major: 16 });
}, 60_000);
afterAll(async () => await pair?.stop());

const schema = 'Every kind';

async function benchOfEveryKind(since: string): Promise<RecoveryBench> {
  const bench = await recoveryBench(pair, {});
  for (const client of [bench.restored, bench.live]) await makeEveryKind(client);
  await bench.live.query(since);
  return bench;
}

/** Its tables, without partitions, which come with their root, and without that of an extension, which nobody can drop alone. */
const tables = `SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = '"${schema}"'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1`;

const dropAll = `DO $$DECLARE one text; BEGIN FOR one IN ${tables} LOOP EXECUTE format('DROP TABLE IF EXISTS %I.%I CASCADE', '${schema}', one); END LOOP; END$$`;

async function definitions(bench: RecoveryBench, chosen: readonly ChosenTable[]): Promise<unknown[]> {
  const look = async (session: Parameters<Parameters<typeof onLive>[1]>[0]): Promise<unknown> => {
    await writeAlike(session);
    return (await restoredTables(session, 160_000, chosen)).map(({ refersTo, ...one }) => ({ ...one, oid: 0, refersTo: refersTo.length }));
  };
  return [await onRestored(bench, look), await onLive(bench, look)];
}

test('every kind of table comes back as it was after all were dropped, and goes again', async () => {
  const bench = await benchOfEveryKind(dropAll);
  const before = await world(bench.live);
  const chosen = (await values(bench.restored, tables)).map((name) => ({ schema, name: String(name) }));
  expect(chosen.length).toBeGreaterThan(15);
  const { copying, journal } = await aside(bench, ...chosen);
  expect(await bringBack(copying, journal.attempt('bring-back'))).toMatchObject({ notValidated: [] });
  expect(copying.facts.notMade).toContain('foreign table "Every kind"."half_there"');
  expect(copying.facts.notMade).toContain('materialized view "Every kind"."populated"');
  const [then, now] = await definitions(bench, chosen);
  expect(now).toEqual(then);
  for (const { name } of chosen.filter((one) => one.name !== 'half_elsewhere')) {
    const rows = `SELECT t::text FROM "${schema}"."${name.replaceAll('"', '""')}" t ORDER BY 1`;
    expect([name, await values(bench.live, rows)]).toEqual([name, await values(bench.restored, rows)]);
  }
  await takeOut(copying, journal.attempt('bring-back', { undo: true }));
  await removeAside(copying, journal.attempt('copy-aside', { undo: true }));
  expect(await world(bench.live)).toEqual(before);
  await bench.end();
}, 60_000);

test('what tables are built on and the database in use lacks is named before anybody agrees', async () => {
  const bench = await benchOfEveryKind(`DROP SCHEMA "${schema}" CASCADE`);
  const names = ['columns', 'indexed', 'deferred', 'deferred_parents'].map((name) => ({ schema, name }));
  const failure = await failureOf('plan-impossible', bench.choose(...names));
  for (const one of [
    'type "Every kind"."address"',
    'type "Every kind"."span"',
    'function "Every kind"."by_path"',
    'function "Every kind"."nothing"',
  ])
    expect(failure.message).toContain(one);
  expect(failure.message).not.toContain('colour');
  await bench.end();
});
