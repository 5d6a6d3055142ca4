import type pg from 'pg';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { contentsOf } from '../../e2e/contents.ts';
import { movePlace } from '../../e2e/place.ts';
import { eventually } from '../../support/eventually.ts';
import { another, fifteen, letTheLoadIn } from './fifteen.ts';

const place = movePlace();

test('another subscriber of all tables works during the run, and goes on at the new side with every row', async () => {
  const move = await place.begin({ source: fifteen() });
  const source = await move.connect('source');
  const { client: reader } = await another();
  await letTheLoadIn(move, source);
  for (const side of [source, await move.connect('target')]) await side.query(readerRole);
  await source.query('CREATE PUBLICATION everything FOR ALL TABLES');
  await reader.query(`CREATE SUBSCRIPTION reader CONNECTION '${await conninfo(source)}' PUBLICATION everything`);
  const writers = move.load();

  const refused = await move.until(await move.request(), (now) => now.state === 'closed');
  expect(refused).toMatchObject({ outcome: 'refused', failure: { code: 'preflight-blocked' } });
  expect(refused.because).toMatch(/slots: reader \(pgoutput\).*-i otherSubscribers=carry/s);

  const run = await move.request({ otherSubscribers: 'carry' });
  await move.agree(run, 'approve-prepare');
  await move.agree(run, 'approve-switch');
  const closed = await move.until(run, (now) => now.state === 'closed', 100_000);
  expect(closed).toMatchObject({ outcome: 'succeeded', evidence: { compare: { tablesDiffering: 0 }, retire: { lateWrites: 0 } } });
  const { switch: switched } = z.object({ switch: z.object({ markerLsn: z.string() }) }).parse(closed.evidence);

  // As docs/migration-cutover.md says.
  await eventually(async () => {
    const read = await reader.query(`SELECT FROM pg_stat_subscription WHERE subname = 'reader' AND latest_end_lsn >= $1`, [
      switched.markerLsn,
    ]);
    return read.rowCount || undefined;
  }, 20_000);
  expect(await contentsOf(reader, ['r'])).toEqual(await contentsOf(await move.connect('source'), ['r']));
  const target = await move.connect('target');
  await reader.query('ALTER SUBSCRIPTION reader DISABLE');
  await reader.query('ALTER SUBSCRIPTION reader SET (slot_name = NONE)');
  await reader.query('DROP SUBSCRIPTION reader');
  await reader.query(`CREATE SUBSCRIPTION reader CONNECTION '${await conninfo(target)}' PUBLICATION everything
    WITH (create_slot = false, slot_name = 'reader', copy_data = false)`);

  await writers.stop();
  const now = JSON.stringify(await contentsOf(target, ['r']));
  expect(now).not.toBe(JSON.stringify(await contentsOf(await move.connect('source'), ['r'])));
  await eventually(async () => JSON.stringify(await contentsOf(reader, ['r'])) === now || undefined, 20_000);
});

const readerRole = `CREATE ROLE reader LOGIN REPLICATION PASSWORD 'reader';
  GRANT USAGE ON SCHEMA billing TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public, billing TO reader`;

async function conninfo(side: pg.Client): Promise<string> {
  const { rows } = await side.query<{ port: number; dbname: string }>('SELECT inet_server_port() AS port, current_database() AS dbname');
  return `host=127.0.0.1 port=${rows[0]?.port} dbname=${rows[0]?.dbname} user=reader password=reader`;
}
