import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { quoteIdentifier } from '../../domain/command.ts';
import { movePlace } from './place.ts';

const place = movePlace();
const file = async (name: string): Promise<string> => await readFile(new URL(`zoo/${name}`, import.meta.url), 'utf8');

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

/** Every table's rows and every sequence's state, by the server's own text; not by the product's comparison. */
async function contentsOf(client: pg.Client): Promise<Record<string, unknown>> {
  const { rows } = await client.query<{ schema: string; name: string; kind: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'S') AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steadyhand')`,
  );
  const contents: Record<string, unknown> = {};
  for (const { schema, name, kind } of rows) {
    const of = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
    // Without log_cnt, which is how far the WAL is ahead.
    const look =
      kind === 'S'
        ? `SELECT last_value || ' ' || is_called AS all FROM ${of}`
        : `SELECT count(*) || ' ' || md5(string_agg(t::text, '|' ORDER BY t::text COLLATE "C")) AS all FROM ONLY ${of} t`;
    contents[of] = (await client.query<{ all: string }>(look)).rows[0]?.all;
  }
  return contents;
}
