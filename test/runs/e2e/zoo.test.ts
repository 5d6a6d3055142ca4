import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { contentsOf } from '../../e2e/contents.ts';
import { movePlace } from '../../e2e/place.ts';

const place = movePlace();
const file = async (name: string): Promise<string> => await readFile(new URL(`../../e2e/zoo/${name}`, import.meta.url), 'utf8');

test('objects of every kind under names of every kind move, with what changes after the copy', async () => {
  const own = { dbname: `zo"o 'x' \\ $1 :tag é`, schema: await file('schema.sql'), rows: await file('rows.sql') };
  const move = await place.begin({ own });
  const source = await move.connect('source');
  const run = await move.request();
  await move.agree(run, 'approve-prepare');
  await move.until(run, (now) => now.questions.some((one) => one.approval === 'approve-switch'), 100_000);
  await source.query(await file('changes.sql'));
  const before = await contentsOf(source);
  await move.agree(run, 'approve-switch');
  const closed = await move.until(run, (now) => now.state === 'closed', 100_000);
  expect(closed).toMatchObject({
    outcome: 'succeeded',
    evidence: { compare: { tablesDiffering: 0, sequencesBehind: 0, method: 'snapshot' }, retire: { lateWrites: 0 } },
  });
  expect(Object.keys(before).length).toBeGreaterThan(50);
  expect(await contentsOf(await move.connect('target'))).toEqual(before);
});
